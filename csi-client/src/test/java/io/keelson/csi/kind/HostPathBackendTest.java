package io.keelson.csi.kind;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.csi.driver.Operation;
import io.keelson.linux.LoopDevices;
import io.keelson.proto.node.v1.HostPathVolume;
import io.keelson.proto.node.v1.VolumeSource;
import io.keelson.proto.record.v1.PublicationRecord;
import io.keelson.proto.record.v1.VolumeRecord;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.isolator.HostPaths;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With one of each kind of file that a node has. */
class HostPathBackendTest {

  @TempDir Path folder;

  private final HostPathBackend backend = new HostPathBackend(new HostPaths(Duration.ofSeconds(5)));
  private ServerSocketChannel server;
  private Path image;
  private Path device;

  @BeforeEach
  void makeOneOfEach() throws IOException {
    folder = folder.toRealPath();
    Files.createDirectory(folder.resolve("folder"));
    Files.createFile(folder.resolve("file"));
    server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(folder.resolve("socket")));
    image = folder.resolve("image");
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(1 << 20);
    }
    device = LoopDevices.attach(image, true);
  }

  @AfterEach
  void end() throws IOException {
    server.close();
    LoopDevices.detach(device);
  }

  @Test
  void eachTypeTakesWhatItSaysAndNothingElse() throws IOException {
    Map<Path, EnumSet<HostPathVolume.Type>> fitting =
        Map.of(
            folder.resolve("folder"),
            EnumSet.of(
                HostPathVolume.Type.TYPE_ANY,
                HostPathVolume.Type.TYPE_DIRECTORY,
                HostPathVolume.Type.TYPE_DIRECTORY_OR_CREATE),
            folder.resolve("file"),
            EnumSet.of(
                HostPathVolume.Type.TYPE_ANY,
                HostPathVolume.Type.TYPE_FILE,
                HostPathVolume.Type.TYPE_FILE_OR_CREATE),
            folder.resolve("socket"),
            EnumSet.of(HostPathVolume.Type.TYPE_ANY, HostPathVolume.Type.TYPE_SOCKET),
            device,
            EnumSet.of(HostPathVolume.Type.TYPE_ANY, HostPathVolume.Type.TYPE_BLOCK_DEVICE),
            Path.of("/dev/null"),
            EnumSet.of(HostPathVolume.Type.TYPE_ANY, HostPathVolume.Type.TYPE_CHARACTER_DEVICE),
            folder.resolve("nothing"),
            EnumSet.noneOf(HostPathVolume.Type.class));
    for (Map.Entry<Path, EnumSet<HostPathVolume.Type>> each : fitting.entrySet()) {
      for (HostPathVolume.Type type : known()) {
        if (each.getValue().contains(type)) {
          assertThat(publish(each.getKey(), type)).as(type.toString()).isEqualTo(each.getKey());
        } else if (Files.exists(each.getKey()) || !makes(type)) {
          assertThatThrownBy(() -> publish(each.getKey(), type))
              .as("%s as %s", each.getKey(), type)
              .isInstanceOf(FailedPreconditionException.class)
              .hasMessageContaining(each.getKey().toString());
        }
      }
    }
  }

  private static EnumSet<HostPathVolume.Type> known() {
    return EnumSet.complementOf(EnumSet.of(HostPathVolume.Type.UNRECOGNIZED));
  }

  private static boolean makes(HostPathVolume.Type type) {
    return type == HostPathVolume.Type.TYPE_DIRECTORY_OR_CREATE
        || type == HostPathVolume.Type.TYPE_FILE_OR_CREATE;
  }

  @Test
  void whatIsMissingIsMadeAsItsRuleSays() throws IOException {
    Path above = folder.resolve("deep");
    Path made = above.resolve("er");
    publish(
        volume(made, HostPathVolume.Type.TYPE_DIRECTORY_OR_CREATE)
            .setMode("1770")
            .setUid(12)
            .setGid(34));
    assertThat(owned(made)).isEqualTo("1770 12 34");
    assertThat(owned(above)).as("what lies above it").isEqualTo("755 0 0");

    Path file = folder.resolve("also/file");
    publish(volume(file, HostPathVolume.Type.TYPE_FILE_OR_CREATE).setUid(12));
    assertThat(file).isEmptyFile();
    assertThat(owned(file)).isEqualTo("644 12 0");
  }

  @Test
  void whatIsThereIsLeftAsItIs() throws IOException {
    Path file = folder.resolve("file");
    Files.writeString(file, "kept");
    publish(volume(file, HostPathVolume.Type.TYPE_FILE_OR_CREATE).setMode("0600").setUid(12));
    assertThat(file).hasContent("kept");
    assertThat(owned(file)).isEqualTo("644 0 0");
  }

  @Test
  void pathsAndModesThatAreNoneAreRefused() {
    VolumeSource relative =
        VolumeSource.newBuilder()
            .setHostPath(volume(Path.of("x"), HostPathVolume.Type.TYPE_ANY))
            .build();
    assertThatThrownBy(() -> backend.key(relative, "p"))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("absolute");
    VolumeSource mode =
        VolumeSource.newBuilder()
            .setHostPath(volume(folder, HostPathVolume.Type.TYPE_ANY).setMode("rwx"))
            .build();
    assertThatThrownBy(() -> backend.key(mode, "p"))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("rwx");
  }

  private static String owned(Path path) throws IOException {
    Map<String, Object> status = Files.readAttributes(path, "unix:mode,uid,gid");
    int mode = (Integer) Objects.requireNonNull(status.get("mode")) & 07777;
    return "%o %s %s".formatted(mode, status.get("uid"), status.get("gid"));
  }

  private Path publish(Path path, HostPathVolume.Type type) throws IOException {
    return publish(volume(path, type));
  }

  private Path publish(HostPathVolume.Builder volume) throws IOException {
    return backend.publish(
        VolumeRecord.getDefaultInstance(),
        PublicationRecord.newBuilder()
            .setSource(VolumeSource.newBuilder().setHostPath(volume))
            .build(),
        folder,
        Operation.of(Duration.ofSeconds(5), Operation.Listener.NONE));
  }

  private static HostPathVolume.Builder volume(Path path, HostPathVolume.Type type) {
    return HostPathVolume.newBuilder().setPath(path.toString()).setType(type);
  }
}
