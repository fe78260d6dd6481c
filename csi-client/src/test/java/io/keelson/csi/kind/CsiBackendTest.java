package io.keelson.csi.kind;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.csi.driver.BuiltInDriver;
import io.keelson.csi.driver.CallMetrics;
import io.keelson.csi.driver.CallPolicy;
import io.keelson.csi.driver.DriverRegistry;
import io.keelson.csi.driver.Operation;
import io.keelson.csi.driver.TlsFiles;
import io.keelson.csi.local.LocalDriver;
import io.keelson.csi.volume.VolumeFolders;
import io.keelson.linux.KernelThreads;
import io.keelson.linux.Mounts;
import io.keelson.proto.node.v1.CsiVolume;
import io.keelson.proto.node.v1.VolumeSource;
import io.keelson.proto.record.v1.PublicationRecord;
import io.keelson.proto.record.v1.VolumeRecord;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.rpc.UnixChannels;
import io.keelson.sandbox.rpc.UnixServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With the local driver, which has never heard of the volume. */
class CsiBackendTest {

  private static final VolumeSource SOURCE =
      VolumeSource.newBuilder()
          .setCsi(CsiVolume.newBuilder().setDriver(LocalDriver.NAME).setVolumeId("vol-gone"))
          .build();
  private static final VolumeRecord VOLUME =
      VolumeRecord.newBuilder().setKey("key").setSource(SOURCE).build();
  private static final PublicationRecord PUBLICATION =
      PublicationRecord.newBuilder().setId("p").setSource(SOURCE).build();

  @TempDir Path folder;

  private final UnixChannels channels = new UnixChannels();
  private final KernelThreads threads = new KernelThreads(4);
  private UnixServer server;
  private DriverRegistry drivers;
  private Path target;

  @BeforeEach
  void start() throws IOException {
    target = Files.createDirectory(folder.toRealPath().resolve("target"));
    server =
        UnixServer.start(
            folder.resolve("csi.sock"),
            new LocalDriver(LocalDriver.NAME, folder.resolve("driver"), "node", "0").services());
    drivers =
        new DriverRegistry(
            channels,
            TlsFiles.NONE,
            List.of(),
            Optional.of(new Served()),
            CallPolicy.DEFAULT,
            CallMetrics.NONE,
            Duration.ofHours(1));
  }

  @AfterEach
  void end() throws IOException {
    while (Mounts.detach(target)) {
      // until nothing is mounted there
    }
    drivers.close();
    server.close();
    channels.close();
    threads.close();
  }

  @Test
  void aDriverThatHasForgottenAVolumeIsBelievedWhereNothingIsMounted() throws IOException {
    CsiBackend backend = backend(false);
    assertThatCode(() -> backend.unpublish(VOLUME, PUBLICATION, target, operation()))
        .doesNotThrowAnyException();
    assertThatCode(() -> backend.unstage(VOLUME, target, operation())).doesNotThrowAnyException();
  }

  @Test
  void itIsNotBelievedWhereTheVolumeIsMountedStill() throws IOException {
    Mounts.mount("tmpfs", target, "tmpfs", 0, null);
    CsiBackend backend = backend(false);
    assertThatThrownBy(() -> backend.unpublish(VOLUME, PUBLICATION, target, operation()))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining("vol-gone")
        .hasMessageContaining(target.toString());
    assertThatThrownBy(() -> backend.unstage(VOLUME, target, operation()))
        .isInstanceOf(FailedPreconditionException.class);
    assertThat(Mounts.isMountPoint(target)).isTrue();
  }

  @Test
  void whatItHasForgottenAndLeftIsUnmountedOnRequest() throws IOException {
    Mounts.mount("tmpfs", target, "tmpfs", 0, null);
    backend(true).unpublish(VOLUME, PUBLICATION, target, operation());
    assertThat(Mounts.isMountPoint(target)).isFalse();
    assertThat(target).isDirectory();
  }

  private CsiBackend backend(boolean unmountForgotten) throws IOException {
    return new CsiBackend(
        drivers,
        new SecretFolders(Optional.empty()),
        threads,
        new VolumeFolders(folder.resolve("volumes")),
        unmountForgotten);
  }

  private static Operation operation() {
    return Operation.of(Duration.ofSeconds(20), Operation.Listener.NONE);
  }

  private final class Served implements BuiltInDriver {
    @Override
    public String name() {
      return LocalDriver.NAME;
    }

    @Override
    public Path start() {
      return server.socket();
    }

    @Override
    public void close() {
      // The test does.
    }
  }
}
