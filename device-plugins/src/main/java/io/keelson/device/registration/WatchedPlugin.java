package io.keelson.device.registration;

import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.keelson.proto.pluginregistration.v1.InfoRequest;
import io.keelson.proto.pluginregistration.v1.PluginInfo;
import io.keelson.proto.pluginregistration.v1.RegistrationGrpc;
import io.keelson.proto.pluginregistration.v1.RegistrationGrpc.RegistrationBlockingStub;
import io.keelson.proto.pluginregistration.v1.RegistrationStatus;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.rpc.RpcFailures;
import io.keelson.sandbox.rpc.UnixChannels;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One socket of the watched folder and how far its registration is. */
final class WatchedPlugin {

  private static final Logger log = LoggerFactory.getLogger(WatchedPlugin.class);

  /** For one answer of a plugin; one that is slower is tried again. */
  private static final Duration DEADLINE = Duration.ofSeconds(10);

  private static final Duration FIRST_DELAY = Duration.ofMillis(500);
  private static final Duration LAST_DELAY = Duration.ofMinutes(2);

  private final Path socket;
  private final SocketScan.Identity identity;
  private final Map<String, PluginHandler> handlers;
  private final UnixChannels channels;
  private final Consumer<Duration> retry;

  /** Held over a registration and a deregistration, so that they never overlap. */
  private final ReentrantLock lock = new ReentrantLock();

  private volatile boolean busy;
  private volatile boolean done;
  private volatile boolean over;
  private volatile long notBefore = System.nanoTime();
  private Duration delay = FIRST_DELAY;
  private @Nullable Registered registered;

  private record Registered(PluginHandler handler, String name, Path endpoint) {}

  WatchedPlugin(
      Path socket,
      SocketScan.Identity identity,
      Map<String, PluginHandler> handlers,
      UnixChannels channels,
      Consumer<Duration> retry) {
    this.socket = socket;
    this.identity = identity;
    this.handlers = handlers;
    this.channels = channels;
    this.retry = retry;
  }

  SocketScan.Identity identity() {
    return identity;
  }

  /** Registers the plugin on a thread of its own if that is due; called by the watcher alone. */
  void attempt() {
    if (done || busy || System.nanoTime() - notBefore < 0) {
      return;
    }
    busy = true;
    Thread.ofVirtual().name("plugin-registration").start(this::register);
  }

  /**
   * The socket is gone.
   *
   * @param replaced another one is at its path, whose registration takes this one's place
   */
  void gone(boolean replaced) {
    over = true;
    Thread.ofVirtual()
        .name("plugin-deregistration")
        .start(
            () -> {
              lock.lock();
              try {
                if (registered != null && !replaced) {
                  registered.handler.deregister(registered.name, registered.endpoint);
                  log.atInfo()
                      .addKeyValue("plugin", registered.name)
                      .addKeyValue("socket", socket)
                      .log("plugin is gone");
                }
              } finally {
                lock.unlock();
              }
            });
  }

  private void register() {
    lock.lock();
    ManagedChannel channel = channels.open(socket);
    try {
      if (!over) {
        register(RegistrationGrpc.newBlockingStub(channel));
        done = true;
      }
    } catch (StatusRuntimeException e) {
      failed(RpcFailures.text(e));
    } catch (IOException | RuntimeException e) {
      failed(String.valueOf(e.getMessage()));
    } finally {
      channel.shutdownNow();
      busy = false;
      lock.unlock();
    }
  }

  private void register(RegistrationBlockingStub stub) throws IOException {
    PluginInfo info = withDeadline(stub).getInfo(InfoRequest.getDefaultInstance());
    Path endpoint = info.getEndpoint().isEmpty() ? socket : Path.of(info.getEndpoint());
    try {
      PluginHandler handler = handlers.get(info.getType());
      if (handler == null) {
        throw new IOException(
            "plugins of type %s are not taken here, only %s"
                .formatted(info.getType(), new TreeSet<>(handlers.keySet())));
      }
      handler.validate(info.getName(), endpoint, info.getSupportedVersionsList());
      handler.register(info.getName(), endpoint, info.getSupportedVersionsList());
      registered = new Registered(handler, info.getName(), endpoint);
    } catch (IOException | KeelsonException e) {
      notify(stub, false, String.valueOf(e.getMessage()));
      throw e;
    }
    log.atInfo()
        .addKeyValue("plugin", info.getName())
        .addKeyValue("type", info.getType())
        .addKeyValue("socket", socket)
        .log("plugin is registered");
    notify(stub, true, "");
  }

  /** A plugin that does not listen to its status is registered all the same. */
  private void notify(RegistrationBlockingStub stub, boolean taken, String error) {
    try {
      var _ =
          withDeadline(stub)
              .notifyRegistrationStatus(
                  RegistrationStatus.newBuilder()
                      .setPluginRegistered(taken)
                      .setError(error)
                      .build());
    } catch (StatusRuntimeException e) {
      log.atDebug()
          .addKeyValue("socket", socket)
          .log("plugin does not take its status: {}", RpcFailures.text(e));
    }
  }

  private void failed(String why) {
    log.atWarn()
        .addKeyValue("socket", socket)
        .addKeyValue("again_ms", delay.toMillis())
        .log("plugin can't be registered: {}", why);
    notBefore = System.nanoTime() + delay.toNanos();
    retry.accept(delay);
    Duration twice = delay.multipliedBy(2);
    delay = twice.compareTo(LAST_DELAY) > 0 ? LAST_DELAY : twice;
  }

  private static RegistrationBlockingStub withDeadline(RegistrationBlockingStub stub) {
    return stub.withDeadlineAfter(DEADLINE.toMillis(), TimeUnit.MILLISECONDS);
  }
}
