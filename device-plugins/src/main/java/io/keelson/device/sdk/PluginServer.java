package io.keelson.device.sdk;

import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.keelson.device.plugin.DevicePlugin;
import io.keelson.device.plugin.PluginFolder;
import io.keelson.proto.deviceplugin.v1beta1.RegisterRequest;
import io.keelson.proto.deviceplugin.v1beta1.RegistrationGrpc;
import io.keelson.sandbox.rpc.RpcFailures;
import io.keelson.sandbox.rpc.UnixChannels;
import io.keelson.sandbox.rpc.UnixServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves a device plugin and keeps it registered: at the start, and again whenever the node agent
 * comes back, which it tells by a new socket, or by removing the plugin's. {@link #close} may be
 * called from any thread.
 *
 * <pre>{@code
 * try (PluginServer server =
 *     PluginServer.start(folder, "vendor.example/widget", "widgets.sock", plugin)) {
 *   server.awaitClose();
 * }
 * }</pre>
 */
public final class PluginServer implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(PluginServer.class);

  private static final Duration LOOK = Duration.ofMillis(250);
  private static final Duration DEADLINE = Duration.ofSeconds(10);

  private final Path folder;
  private final String resource;
  private final String endpoint;
  private final DevicePlugin plugin;
  private final PluginService service;
  private final UnixChannels channels = new UnixChannels();
  private final Thread thread;
  private @Nullable UnixServer server;

  private PluginServer(Path folder, String resource, String endpoint, DevicePlugin plugin) {
    this.folder = folder;
    this.resource = resource;
    this.endpoint = endpoint;
    this.plugin = plugin;
    this.service = new PluginService(plugin);
    this.thread = Thread.ofPlatform().name("device-plugin").unstarted(this::keepRegistered);
  }

  /**
   * Serves from its return on, and registers as soon as there is somebody to register with.
   *
   * @param folder where the node agent serves {@code kubelet.sock}; a kubelet's is {@code
   *     /var/lib/kubelet/device-plugins}
   * @param resource such as {@code vendor.example/device}
   * @param endpoint name of the plugin's socket, made in the same folder
   */
  public static PluginServer start(
      Path folder, String resource, String endpoint, DevicePlugin plugin) throws IOException {
    PluginServer server = new PluginServer(folder, resource, endpoint, plugin);
    plugin.watch(server.service);
    server.thread.start();
    return server;
  }

  /** Returns when the server is closed. */
  public void awaitClose() throws InterruptedException {
    thread.join();
  }

  @Override
  public void close() {
    thread.interrupt();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void keepRegistered() {
    Map<String, Object> registeredWith = Map.of();
    try {
      while (true) {
        Map<String, Object> agent = identity(folder.resolve(PluginFolder.SOCKET));
        boolean served = !identity(folder.resolve(endpoint)).isEmpty();
        if (!agent.isEmpty() && (!agent.equals(registeredWith) || !served)) {
          registeredWith = register() ? agent : Map.of();
        }
        TimeUnit.NANOSECONDS.sleep(LOOK.toNanos());
      }
    } catch (InterruptedException e) {
      stop();
    }
  }

  private void stop() {
    plugin.close();
    try {
      if (server != null) {
        server.close();
      }
    } catch (IOException e) {
      log.atWarn().setCause(e).log("the plugin's socket stays behind");
    }
    channels.close();
  }

  private boolean register() {
    ManagedChannel channel = channels.open(folder.resolve(PluginFolder.SOCKET));
    try {
      if (server != null) {
        server.close();
      }
      server = UnixServer.start(folder.resolve(endpoint), List.of(service));
      var _ =
          RegistrationGrpc.newBlockingStub(channel)
              .withDeadlineAfter(DEADLINE.toMillis(), TimeUnit.MILLISECONDS)
              .register(
                  RegisterRequest.newBuilder()
                      .setVersion(PluginFolder.VERSION)
                      .setEndpoint(endpoint)
                      .setResourceName(resource)
                      .setOptions(service.options())
                      .build());
      log.atInfo().addKeyValue("resource", resource).log("registered");
      return true;
    } catch (StatusRuntimeException e) {
      log.atWarn().addKeyValue("resource", resource).log("can't register: {}", RpcFailures.text(e));
      return false;
    } catch (IOException e) {
      log.atWarn().addKeyValue("resource", resource).setCause(e).log("can't serve");
      return false;
    } finally {
      channel.shutdownNow();
    }
  }

  private static Map<String, Object> identity(Path socket) {
    try {
      return Files.readAttributes(socket, "unix:ino,ctime");
    } catch (IOException e) {
      return Map.of(); // it is not there
    }
  }
}
