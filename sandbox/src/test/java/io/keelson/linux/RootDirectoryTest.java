package io.keelson.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class RootDirectoryTest {

  @TempDir Path folder;
  private Path rootfs;
  private RootDirectory root;

  @BeforeEach
  void rootWithASecretBeside() throws IOException {
    rootfs = folder.resolve("rootfs");
    Files.createDirectories(rootfs.resolve("etc"));
    Files.writeString(folder.resolve("secret"), "of the host");
    Files.writeString(rootfs.resolve("etc/passwd"), "of the container");
    root = RootDirectory.open(rootfs);
  }

  @AfterEach
  void close() {
    root.close();
  }

  @Test
  void absoluteAndRelativePathsBeginAtTheRoot() throws Exception {
    assertThat(text("/etc/passwd")).isEqualTo("of the container");
    assertThat(text("etc/passwd")).isEqualTo("of the container");
    assertThat(root.resolve("/etc/../etc/passwd"))
        .isEqualTo(rootfs.toRealPath().resolve("etc/passwd"));
    assertThat(root.resolve("/")).isEqualTo(rootfs.toRealPath());
    assertThat(root.resolve("")).isEqualTo(rootfs.toRealPath());
  }

  @Test
  void anAbsoluteLinkStaysInside() throws Exception {
    Files.createSymbolicLink(rootfs.resolve("link"), Path.of("/etc/passwd"));
    Files.createSymbolicLink(rootfs.resolve("host"), folder.resolve("secret"));

    assertThat(text("link")).isEqualTo("of the container");
    assertThat(root.readFile("host", 100)).isEmpty();
  }

  @Test
  void noNumberOfDotDotsLeadsOut() throws Exception {
    Files.createSymbolicLink(rootfs.resolve("up"), Path.of("../secret"));
    Files.createSymbolicLink(rootfs.resolve("etc/upper"), Path.of("../../../../../../.."));

    assertThat(root.readFile("../secret", 100)).isEmpty();
    assertThat(root.readFile("/../../secret", 100)).isEmpty();
    assertThat(root.readFile("up", 100)).isEmpty();
    assertThat(root.resolve("etc/upper")).isEqualTo(rootfs.toRealPath());
  }

  @Test
  void aFileIsCreatedInsideThroughALinkThatPointsOut() throws Exception {
    Files.createSymbolicLink(rootfs.resolve("out"), folder);

    assertThatThrownBy(() -> root.open("out/new", Fd.O_WRONLY | Fd.O_CREAT, 0600))
        .isInstanceOf(ErrnoException.class);
    assertThat(folder.resolve("new")).doesNotExist();

    try (Fd fd = root.open("etc/new", Fd.O_WRONLY | Fd.O_CREAT | Fd.O_EXCL, 0600)) {
      fd.write("x".getBytes(StandardCharsets.UTF_8), 0, 1);
    }
    assertThat(rootfs.resolve("etc/new")).hasContent("x");
  }

  @Test
  void theMagicLinksOfProcAreNotFollowed() throws Exception {
    try (RootDirectory host = RootDirectory.open(Path.of("/"))) {
      assertThatThrownBy(() -> host.open("/proc/self/cwd/x", Fd.O_RDONLY, 0))
          .isInstanceOfSatisfying(
              ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ELOOP));
    }
  }

  @Test
  void whatIsMissingOrNoFileIsTold() throws Exception {
    assertThat(root.readFile("none", 10)).isEmpty();
    assertThat(root.readFile("etc/passwd/none", 10)).isEmpty();
    assertThatThrownBy(() -> root.readFile("etc", 10)).hasMessageContaining("no regular file");
    assertThatThrownBy(() -> root.readFile("etc/passwd", 15)).hasMessageContaining("15 bytes");
    assertThat(root.readFile("etc/passwd", 16)).isPresent();
    assertThatThrownBy(() -> root.open("none", Fd.O_RDONLY, 0))
        .hasMessageContaining(rootfs.toString())
        .hasMessageContaining("none")
        .hasMessageContaining("ENOENT");
    assertThatThrownBy(() -> root.open("a\0b", Fd.O_RDONLY, 0))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  @Timeout(10)
  void aFifoDoesNotHoldTheReaderUp() throws Exception {
    String fifo = rootfs.resolve("fifo").toString();
    Commands.run(List.of("mkfifo", fifo), Map.of(), new byte[0], Duration.ofSeconds(5), 100);

    assertThatThrownBy(() -> root.readFile("fifo", 10)).hasMessageContaining("no regular file");
  }

  private String text(String path) throws IOException {
    return new String(root.readFile(path, 1000).orElseThrow(), StandardCharsets.UTF_8);
  }
}
