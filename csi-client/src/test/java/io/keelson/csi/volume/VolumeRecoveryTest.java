package io.keelson.csi.volume;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.csi.driver.CallPolicy;
import io.keelson.csi.driver.Operation;
import io.keelson.linux.Mounts;
import io.keelson.proto.node.v1.CreateVolumeRequest;
import io.keelson.proto.node.v1.ModifyVolumeRequest;
import io.keelson.proto.record.v1.VolumeRecord;
import io.keelson.sandbox.FaultPoints;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a start finds that no record knows. */
class VolumeRecoveryTest {

  @TempDir Path temporary;

  private Path top;
  private VolumeFolders folders;

  @BeforeEach
  void makeFolders() throws IOException {
    top = temporary.toRealPath();
    folders = new VolumeFolders(top);
  }

  @AfterEach
  void takeMountsAway() throws IOException {
    Mounts.detach(folders.staging("s"));
    Mounts.detach(folders.target("t"));
  }

  @Test
  void mountsAndEmptyFoldersGo() throws IOException {
    mount(folders.staging("s"));
    mount(folders.target("t"));
    Files.createDirectories(folders.target("empty"));
    recover();
    assertThat(folders.stagings()).isEmptyDirectory();
    assertThat(folders.targets()).isEmptyDirectory();
  }

  @Test
  void contentOfAVolumeIsNeverDeleted() throws IOException {
    Path content = Files.createDirectories(folders.target("t")).resolve("file");
    Files.writeString(content, "kept");
    Path device = Files.createDirectories(folders.targets().resolve("u")).resolve("mount");
    Files.writeString(device, "kept");
    recover();
    assertThat(content).hasContent("kept");
    assertThat(device).hasContent("kept");
  }

  /** It can't be unmounted, so its files are still the volume's. */
  @Test
  void aVolumeInUseIsLeftAlone() throws IOException {
    Path staging = folders.staging("s");
    mount(staging);
    Path emptyFile = Files.createFile(staging.resolve("mount"));
    try (OutputStream use = Files.newOutputStream(staging.resolve("used"))) {
      recover();
      use.write(1);
    }
    assertThat(emptyFile).exists();
    assertThat(Mounts.isMountPoint(staging)).isTrue();
  }

  @Test
  void whatBelongsToARecordThatCanNotBeReadIsLeftAlone() throws IOException {
    Files.writeString(
        Files.createDirectories(folders.publicationRecords().resolve("t")).resolve("record"),
        "rubbish of more than four bytes");
    mount(folders.target("t"));
    recover();
    assertThat(Mounts.isMountPoint(folders.target("t"))).isTrue();
  }

  @Test
  void aRecordThatWasNeverWrittenHoldsNothing() throws IOException {
    Files.createDirectories(folders.publicationRecords().resolve("t"));
    mount(folders.target("t"));
    recover();
    assertThat(folders.targets()).isEmptyDirectory();
    assertThat(folders.publicationRecords()).isEmptyDirectory();
  }

  private static void mount(Path path) throws IOException {
    Files.createDirectories(path);
    Mounts.mount("tmpfs", path, "tmpfs", 0, null);
  }

  private void recover() throws IOException {
    try (Volumes volumes =
        new Volumes(
            folders,
            new VolumeBackends(Map.of()),
            new Nobody(),
            CallPolicy.DEFAULT,
            FaultPoints.NONE)) {
      volumes.recover(Set.of());
    }
  }

  /** No record asks for anything of a driver. */
  private static final class Nobody implements ProvisioningCalls {
    @Override
    public Creation creation(
        CreateVolumeRequest request, Optional<VolumeRecord> original, Operation operation) {
      throw new AssertionError("a volume is made");
    }

    @Override
    public void delete(VolumeRecord volume, Operation operation) {
      throw new AssertionError("a volume is deleted");
    }

    @Override
    public Expanded expand(VolumeRecord volume, long bytes, Operation operation) {
      throw new AssertionError("a volume is expanded");
    }

    @Override
    public long expandOnNode(Place place, long bytes, Operation operation) {
      throw new AssertionError("a volume is expanded");
    }

    @Override
    public void modify(VolumeRecord volume, ModifyVolumeRequest request, Operation operation) {
      throw new AssertionError("a volume is modified");
    }
  }
}
