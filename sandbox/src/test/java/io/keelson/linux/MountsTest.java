package io.keelson.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MountsTest {

  @TempDir Path folder;
  private Path base;

  @BeforeEach
  void mountOfOurOwn() throws IOException {
    base = Files.createDirectory(folder.resolve("base of \\it"));
    Mounts.mount("tmpfs", base, "tmpfs", Mounts.MS_NOSUID | Mounts.MS_NODEV, "mode=0700");
  }

  @AfterEach
  void takeAllAway() throws IOException {
    while (Mounts.detach(base)) {
      // until nothing is mounted there
    }
  }

  @Test
  void aMountIsThereUntilItIsDetached() throws Exception {
    assertThat(Mounts.isMountPoint(base)).isTrue();
    assertThat(Mounts.isMountPoint(folder)).isFalse();
    assertThat(Mounts.isMountPoint(folder.resolve("none"))).isFalse();

    assertThat(Mounts.detach(base)).isTrue();

    assertThat(Mounts.isMountPoint(base)).isFalse();
    assertThat(Mounts.detach(base)).isFalse();
    assertThat(Mounts.detach(folder.resolve("none"))).isFalse();
    assertThat(Mounts.detach(Files.createFile(folder.resolve("file")).resolve("x"))).isFalse();
  }

  @Test
  void mountInfoTellsWhatIsMountedAndHow() throws Exception {
    MountInfo info = MountInfo.containing(base.resolve("a/b")).orElseThrow();

    assertThat(info.mountPoint()).isEqualTo(base.toRealPath());
    assertThat(info.type()).isEqualTo("tmpfs");
    assertThat(info.source()).isEqualTo("tmpfs");
    assertThat(info.root()).isEqualTo("/");
    assertThat(info.options()).contains("rw", "nosuid", "nodev");
    assertThat(info.superOptions()).contains("mode=700");
    assertThat(MountInfo.read((int) ProcessHandle.current().pid())).contains(info);
  }

  @Test
  void aCoveringMountIsTheOneThatContains() throws Exception {
    Mounts.mount("upper", base, "tmpfs", 0, null);

    assertThat(MountInfo.containing(base)).map(MountInfo::source).contains("upper");
  }

  @Test
  void aMountBelowACoveredFolderContainsNothing() throws Exception {
    Path covered = base.resolve("covered");
    Files.createDirectories(covered.resolve("below"));
    Mounts.mount("below", covered.resolve("below"), "tmpfs", 0, null);
    Mounts.mount("cover", covered, "tmpfs", 0, null);

    assertThat(MountInfo.containing(covered.resolve("below/x")))
        .map(MountInfo::source)
        .contains("cover");
  }

  @Test
  void aBindShowsTheSourceAndWithoutRecursionNotTheMountsBelow() throws Exception {
    Path source = base.resolve("source");
    Files.createDirectories(source.resolve("below"));
    Path plain = Files.createDirectory(base.resolve("plain"));
    Path recursive = Files.createDirectory(base.resolve("recursive"));
    Mounts.mount("below", source.resolve("below"), "tmpfs", 0, null);
    Files.createFile(source.resolve("below/file"));

    Mounts.bind(source, plain);
    Mounts.bind(source, recursive, true);

    assertThat(plain.resolve("below")).isEmptyDirectory();
    assertThat(recursive.resolve("below/file")).exists();
  }

  @Test
  void aReadOnlyRemountOfABindLeavesTheSourceWritable() throws Exception {
    Path source = Files.createDirectory(base.resolve("source"));
    Path target = Files.createDirectory(base.resolve("target"));
    Mounts.bind(source, target);

    Mounts.remount(target, Mounts.MS_RDONLY);

    assertThatThrownBy(() -> Files.createFile(target.resolve("x"))).isInstanceOf(IOException.class);
    Files.createFile(source.resolve("x"));
  }

  @Test
  void propagationIsSetAndShown() throws Exception {
    Mounts.makeShared(base, false);
    assertThat(MountInfo.containing(base)).map(MountInfo::isShared).contains(true);

    Path slave = Files.createDirectory(base.resolve("slave"));
    Mounts.makePrivate(base, false);
    Mounts.bind(base, slave);
    assertThat(MountInfo.containing(slave).orElseThrow().optionalFields()).isEmpty();
  }

  @Test
  void aMountInASharedFolderReachesItsSlave() throws Exception {
    Path shared = Files.createDirectory(base.resolve("shared"));
    Path slave = Files.createDirectory(base.resolve("slave"));
    Mounts.mount("shared", shared, "tmpfs", 0, null);
    Mounts.makeShared(shared, false);
    Mounts.bind(shared, slave);
    Mounts.makeSlave(slave, false);
    Files.createDirectory(shared.resolve("sub"));

    Mounts.mount("sub", shared.resolve("sub"), "tmpfs", 0, null);

    assertThat(Mounts.isMountPoint(slave.resolve("sub"))).isTrue();
    assertThat(MountInfo.containing(slave)).map(MountInfo::isSlave).contains(true);
  }

  @Test
  void anErrorNamesTheCallWithAllItsArguments() {
    Path none = folder.resolve("none");

    assertThatThrownBy(() -> Mounts.mount("src", none, "tmpfs", Mounts.MS_NOSUID, "size=1m"))
        .isInstanceOfSatisfying(ErrnoException.class, e -> assertThat(e.is(Errno.ENOENT)).isTrue())
        .hasMessage(
            "mount(\"src\", \"%s\", \"tmpfs\", 0x2, \"size=1m\"): no such file or directory (ENOENT)",
            none);
    assertThatThrownBy(() -> Mounts.unmount(folder, Mounts.MNT_DETACH))
        .hasMessage("umount2(\"%s\", 0xa): invalid argument (EINVAL)", folder);
  }
}
