package io.keelson.device.registration;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.stub.StreamObserver;
import io.keelson.proto.pluginregistration.v1.InfoRequest;
import io.keelson.proto.pluginregistration.v1.PluginInfo;
import io.keelson.proto.pluginregistration.v1.RegistrationGrpc;
import io.keelson.proto.pluginregistration.v1.RegistrationStatus;
import io.keelson.proto.pluginregistration.v1.RegistrationStatusResponse;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.rpc.UnixChannels;
import io.keelson.sandbox.rpc.UnixServer;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PluginWatcherTest {

  @TempDir Path folder;

  private final BlockingQueue<String> events = new LinkedBlockingQueue<>();
  private final UnixChannels channels = new UnixChannels();
  private @Nullable PluginWatcher watcher;

  @BeforeEach
  void start() throws IOException {
    watcher = PluginWatcher.start(folder, Map.of("CSIPlugin", new Recorder()), channels);
  }

  @AfterEach
  void stop() {
    if (watcher != null) {
      watcher.close();
    }
    channels.close();
  }

  @Test
  void aPluginIsRegisteredToldAndDeregistered() throws Exception {
    try (UnixServer _ = plugin("a.sock", "CSIPlugin", "driver.example", "/run/driver.sock")) {
      assertThat(next()).isEqualTo("register driver.example /run/driver.sock [v1]");
      assertThat(next()).isEqualTo("told true ");
    }
    assertThat(next()).isEqualTo("deregister driver.example /run/driver.sock");
  }

  /** Without an endpoint of its own a plugin serves its API where it registers. */
  @Test
  void aSocketBelowAFolderOfItsOwnIsFound() throws Exception {
    Path socket = folder.resolve("driver/reg.sock");
    try (UnixServer _ = plugin("driver/reg.sock", "CSIPlugin", "below.example", "")) {
      assertThat(next()).isEqualTo("register below.example " + socket + " [v1]");
    }
  }

  @Test
  void aRefusedPluginIsToldWhyAndTriedAgain() throws Exception {
    try (UnixServer _ = plugin("b.sock", "CSIPlugin", "refused.example", "/x")) {
      assertThat(next()).isEqualTo("told false refused.example is not wanted");
      assertThat(next()).isEqualTo("told false refused.example is not wanted");
    }
  }

  @Test
  void aTypeThatNobodyTakesIsRefused() throws Exception {
    try (UnixServer _ = plugin("c.sock", "OtherPlugin", "other.example", "/x")) {
      assertThat(next()).startsWith("told false plugins of type OtherPlugin are not taken");
    }
  }

  /** A plugin that crashed and came back under its name is registered again, not deregistered. */
  @Test
  void aSocketMadeAnewIsRegisteredAgain() throws Exception {
    UnixServer first = plugin("d.sock", "CSIPlugin", "back.example", "/x");
    assertThat(next()).isEqualTo("register back.example /x [v1]");
    assertThat(next()).isEqualTo("told true ");
    Path socket = folder.resolve("d.sock");
    Path aside = folder.resolve(".aside");
    Files.move(socket, aside);
    assertThat(next()).isEqualTo("deregister back.example /x");
    try (first;
        UnixServer _ = plugin("d.sock", "CSIPlugin", "back.example", "/x")) {
      assertThat(next()).isEqualTo("register back.example /x [v1]");
      assertThat(next()).isEqualTo("told true ");
    }
  }

  @Test
  void aDeadSocketIsTriedAgainUntilItAnswers() throws Exception {
    Path socket = folder.resolve("e.sock");
    try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      dead.bind(UnixDomainSocketAddress.of(socket)); // its file stays when nobody listens any more
    }
    assertThat(events.poll(1, TimeUnit.SECONDS)).isNull();
    try (UnixServer _ = plugin("e.sock", "CSIPlugin", "dead.example", "/y")) {
      assertThat(next()).isEqualTo("register dead.example /y [v1]");
    }
  }

  private String next() throws InterruptedException {
    String event = events.poll(30, TimeUnit.SECONDS);
    return event == null ? "nothing" : event;
  }

  private UnixServer plugin(String socket, String type, String name, String endpoint)
      throws IOException {
    PluginInfo info =
        PluginInfo.newBuilder()
            .setType(type)
            .setName(name)
            .setEndpoint(endpoint)
            .addSupportedVersions("v1")
            .build();
    return UnixServer.start(
        folder.resolve(socket),
        List.of(
            new RegistrationGrpc.RegistrationImplBase() {
              @Override
              public void getInfo(InfoRequest request, StreamObserver<PluginInfo> observer) {
                observer.onNext(info);
                observer.onCompleted();
              }

              @Override
              public void notifyRegistrationStatus(
                  RegistrationStatus status, StreamObserver<RegistrationStatusResponse> observer) {
                events.add("told " + status.getPluginRegistered() + " " + status.getError());
                observer.onNext(RegistrationStatusResponse.getDefaultInstance());
                observer.onCompleted();
              }
            }));
  }

  private final class Recorder implements PluginHandler {

    @Override
    public void validate(String name, Path endpoint, List<String> versions) {
      if (name.startsWith("refused")) {
        throw new InvalidRequestException(name + " is not wanted");
      }
    }

    @Override
    public void register(String name, Path endpoint, List<String> versions) {
      events.add("register " + name + " " + endpoint + " " + versions);
    }

    @Override
    public void deregister(String name, Path endpoint) {
      events.add("deregister " + name + " " + endpoint);
    }
  }
}
