package io.keelson.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {

  @TempDir Path folder;

  @Test
  void writesAndReplacesWithOrWithoutSync() throws Exception {
    Path file = folder.resolve("record");

    AtomicFile.write(file, new byte[] {1, 2, 3}, true);
    assertThat(file).hasBinaryContent(new byte[] {1, 2, 3});

    AtomicFile.write(file, new byte[0], false);
    assertThat(file).isEmptyFile();
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
    try (var entries = Files.list(folder)) {
      assertThat(entries).containsExactly(file);
    }
  }

  @Test
  void aFailureLeavesNothingBehind() throws Exception {
    Path inTheWay = folder.resolve("record");
    Files.createDirectories(inTheWay.resolve("x"));

    assertThatThrownBy(() -> AtomicFile.write(inTheWay, new byte[1], false))
        .isInstanceOf(IOException.class);
    assertThatThrownBy(() -> AtomicFile.write(folder.resolve("no/record"), new byte[1], false))
        .isInstanceOf(IOException.class);

    try (var entries = Files.list(folder)) {
      assertThat(entries).containsExactly(inTheWay);
    }
  }

  @Test
  void aReaderSeesOneOfTheContentsWhole() throws Exception {
    Path file = folder.resolve("record");
    AtomicFile.write(file, filled(0), false);
    AtomicBoolean done = new AtomicBoolean();
    List<Thread> writers = new ArrayList<>();
    for (int i = 1; i <= 3; i++) {
      byte[] content = filled(i);
      writers.add(
          Thread.startVirtualThread(
              () -> {
                try {
                  while (!done.get()) {
                    AtomicFile.write(file, content, false);
                  }
                } catch (IOException e) {
                  throw new IllegalStateException(e);
                }
              }));
    }

    try {
      for (int i = 0; i < 300; i++) {
        byte[] read = Files.readAllBytes(file);
        assertThat(read).isEqualTo(filled(read[0]));
      }
    } finally {
      done.set(true);
      for (Thread writer : writers) {
        writer.join();
      }
    }
  }

  private static byte[] filled(int value) {
    byte[] content = new byte[20_000];
    Arrays.fill(content, (byte) value);
    return content;
  }
}
