package io.keelson.csi.kind;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.linux.KernelThreads;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GroupOwnershipTest {

  private static final long GROUP = 4711;

  @TempDir Path folder;

  private final KernelThreads threads = new KernelThreads(1);
  private final GroupOwnership ownership = new GroupOwnership(threads);

  @AfterEach
  void end() {
    threads.close();
  }

  @Test
  void filesAndFoldersAreTheGroupsAndLinksLeadNowhere() throws IOException {
    Path outside = make(Files.createFile(folder.resolve("outside")), 0600);
    Path top = make(Files.createDirectory(folder.resolve("volume")), 0700);
    Path below = make(Files.createDirectory(top.resolve("below")), 0750);
    Path program = make(Files.createFile(below.resolve("program")), 0711);
    Path link = Files.createSymbolicLink(below.resolve("link"), outside);
    Files.createSymbolicLink(below.resolve("folder"), folder);

    ownership.apply(top, GROUP);

    assertThat(look(top)).isEqualTo("4711 2770");
    assertThat(look(below)).isEqualTo("4711 2770");
    assertThat(look(program)).isEqualTo("4711 771");
    assertThat(Files.getAttribute(link, "unix:gid", LinkOption.NOFOLLOW_LINKS)).isEqualTo(4711);
    assertThat(look(outside)).isEqualTo("0 600");
    assertThat(look(Files.createFile(below.resolve("later")))).startsWith("4711 ");
  }

  @Test
  void aVolumeThatIsTheGroupsIsNotWalked() throws IOException {
    Path top = make(Files.createDirectory(folder.resolve("volume")), 0700);
    ownership.apply(top, GROUP);
    Path file = make(Files.createFile(top.resolve("file")), 0600);

    ownership.apply(top, GROUP);
    assertThat(look(file)).isEqualTo("4711 600");

    ownership.apply(top, GROUP + 1);
    assertThat(look(file)).isEqualTo("4712 660");
  }

  private static Path make(Path path, int mode) throws IOException {
    Modes.set(path, mode);
    return path;
  }

  private static String look(Path path) throws IOException {
    return Files.getAttribute(path, "unix:gid")
        + " "
        + Integer.toOctalString((Integer) Files.getAttribute(path, "unix:mode") & 07777);
  }
}
