package io.keelson.csi.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.keelson.linux.LoopDevices;
import io.keelson.linux.Mounts;
import io.keelson.proto.record.v1.LocalVolumeRecord.Layout;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Clones and snapshots on file systems that can share blocks (xfs) and that can't (ext4). */
class ContentsTest {

  private static final int MIB = 1 << 20;

  @TempDir Path folder;

  private final Programs programs = new Programs();
  private final Contents contents = new Contents(programs);

  @AfterEach
  void unmount() throws IOException {
    Path image = folder.toRealPath().resolve("disk");
    while (Mounts.detach(folder.toRealPath().resolve("mounted"))) {
      // until nothing is mounted there
    }
    for (Path device : LoopDevices.all(image)) {
      LoopDevices.detach(device);
    }
  }

  @Test
  void aCloneSharesItsBlocksWhereTheFileSystemCan() throws IOException {
    assumeTrue(Files.exists(Path.of("/usr/sbin/mkfs.xfs")), "xfsprogs are not installed");
    Path disk = mounted("xfs", "-m", "reflink=1");
    Path volume = volume(disk);
    long before = used(disk);
    Path clone = disk.resolve("clone");
    contents.copy(Layout.LAYOUT_IMAGE, volume, clone);
    assertThat(extents(clone)).contains("shared");
    assertThat(extents(volume)).contains("shared");
    assertThat(used(disk) - before).as("bytes more").isLessThan(MIB);
    assertHoldItsOwn(volume, clone);

    Path files = Files.createDirectory(disk.resolve("files"));
    Files.write(files.resolve("file"), random());
    contents.copy(Layout.LAYOUT_FOLDER, files, disk.resolve("copied"));
    assertThat(extents(disk.resolve("copied/file"))).contains("shared");
  }

  @Test
  void elsewhereItIsACopy() throws IOException {
    Path disk = mounted("ext4", "-q");
    Path volume = volume(disk);
    Path clone = disk.resolve("clone");
    contents.copy(Layout.LAYOUT_IMAGE, volume, clone);
    assertThat(extents(clone)).doesNotContain("shared");
    assertHoldItsOwn(volume, clone);
  }

  /** The same at first, and what is written to one is not seen in the other. */
  private void assertHoldItsOwn(Path volume, Path clone) throws IOException {
    assertThat(clone).hasSameBinaryContentAs(volume);
    byte[] then = Files.readAllBytes(clone);
    try (RandomAccessFile file = new RandomAccessFile(volume.toFile(), "rw")) {
      file.write(new byte[MIB]);
    }
    assertThat(clone).hasBinaryContent(then);
    assertThat(volume).satisfies(it -> assertThat(Files.mismatch(it, clone)).isNotNegative());
  }

  /** 16 MiB with a hole of 8. */
  private static Path volume(Path disk) throws IOException {
    Path volume = disk.resolve("volume");
    try (RandomAccessFile file = new RandomAccessFile(volume.toFile(), "rw")) {
      file.write(random());
      file.seek(12 * MIB);
      file.write(random());
      file.getFD().sync();
    }
    return volume;
  }

  private static byte[] random() {
    byte[] bytes = new byte[4 * MIB];
    new Random(1).nextBytes(bytes);
    return bytes;
  }

  private Path mounted(String type, String... options) throws IOException {
    Path image = folder.toRealPath().resolve("disk");
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(320L * MIB);
    }
    programs.run(command("mkfs." + type, options, image));
    Path device = LoopDevices.attach(image, false);
    Path mounted = Files.createDirectory(folder.toRealPath().resolve("mounted"));
    Mounts.mount(device.toString(), mounted, type, 0, null);
    return mounted;
  }

  private static String[] command(String program, String[] options, Path image) {
    String[] command = new String[options.length + 2];
    command[0] = program;
    System.arraycopy(options, 0, command, 1, options.length);
    command[command.length - 1] = image.toString();
    return command;
  }

  private String extents(Path file) throws IOException {
    return programs.run("filefrag", "-sv", file.toString());
  }

  private static long used(Path disk) throws IOException {
    var store = Files.getFileStore(disk);
    return store.getTotalSpace() - store.getUnallocatedSpace();
  }
}
