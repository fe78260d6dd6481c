package io.keelson.runtime.cli.log;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/**
 * One line of a container log: {@code TIME stdout|stderr P|F TEXT} (CRI's log format, KEP-1539).
 *
 * @param time RFC 3339 with nanoseconds
 * @param isError of standard error, else of standard output
 * @param isPartial the workload's line goes on in the next line of this stream
 * @param text without a line end; the bytes that the workload wrote
 */
public record LogLine(String time, boolean isError, boolean isPartial, byte[] text) {

  /** Empty if it is no line of such a log. */
  public static Optional<LogLine> parse(byte[] line) {
    int time = indexOf(line, 0);
    int stream = time < 0 ? -1 : indexOf(line, time + 1);
    int tags = stream < 0 ? -1 : indexOf(line, stream + 1);
    if (time < 1 || stream < 0) {
      return Optional.empty();
    }
    int tagsEnd = tags < 0 ? line.length : tags; // an empty line may come without its last space
    String streamName = ascii(line, time + 1, stream);
    String tag = ascii(line, stream + 1, tagsEnd).split(":", 2)[0]; // more tags may come one day
    boolean known = streamName.equals("stdout") || streamName.equals("stderr");
    if (!known || !(tag.equals("P") || tag.equals("F"))) {
      return Optional.empty();
    }
    byte[] text = tags < 0 ? new byte[0] : Arrays.copyOfRange(line, tags + 1, line.length);
    return Optional.of(
        new LogLine(ascii(line, 0, time), streamName.equals("stderr"), tag.equals("P"), text));
  }

  private static int indexOf(byte[] line, int from) {
    for (int i = from; i < line.length; i++) {
      if (line[i] == ' ') {
        return i;
      }
    }
    return -1;
  }

  private static String ascii(byte[] line, int from, int to) {
    return new String(line, from, to - from, StandardCharsets.US_ASCII);
  }
}
