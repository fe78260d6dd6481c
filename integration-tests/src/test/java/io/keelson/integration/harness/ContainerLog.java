package io.keelson.integration.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.stream.Collectors;

/** A log file in the format of CRI: {@code TIME STREAM P|F TEXT}. */
public record ContainerLog(Path file) {

  /** One line. */
  public record Line(OffsetDateTime time, String stream, String tag, String text) {

    static Line parse(String line) {
      String[] parts = line.split(" ", 4);
      if (parts.length != 4) {
        throw new AssertionError("not a line of a CRI log: " + line);
      }
      return new Line(OffsetDateTime.parse(parts[0]), parts[1], parts[2], parts[3]);
    }
  }

  /** The lines, without one that is being written; none if there is no file. */
  public List<Line> lines() {
    try {
      String text = Files.readString(file);
      return text.substring(0, text.lastIndexOf('\n') + 1).lines().map(Line::parse).toList();
    } catch (NoSuchFileException e) {
      return List.of();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What came on one stream, with the ends of lines only where the container wrote them. */
  public String text(String stream) {
    return lines().stream()
        .filter(line -> line.stream().equals(stream))
        .map(line -> line.text() + (line.tag().equals("F") ? "\n" : ""))
        .collect(Collectors.joining());
  }
}
