package io.keelson.runtime.nri;

import io.keelson.linux.Spawned;
import io.keelson.runtime.server.SocketFile;
import io.keelson.sandbox.Containers;
import io.keelson.sandbox.Pods;
import io.keelson.sandbox.launch.RuntimeFeatureProbe;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.port.PodExtension;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The Node Resource Interface of this node (NRI v1alpha1): takes the turns of pods and containers
 * to plugins that connect to a socket or are started from a folder. While there are none, pods pay
 * nothing for it. Safe for use by many threads.
 */
public final class Nri implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Nri.class);
  private static final String SOCKET_GROUP = "root";
  private static final long PAUSE_NANOS = 100_000_000;

  private final NriSettings settings;
  private final Path scratch;
  private final PluginMeter meter;
  private final Plugins plugins = new Plugins();
  private final NriPods pods;
  private final NriContainers containers;
  private final List<Spawned> processes = new ArrayList<>(); // guarded by itself
  private volatile @Nullable NodeAccess node;
  private volatile @Nullable ServerSocketChannel listener;

  /**
   * Nobody can connect before {@link #start}.
   *
   * @param rules of the node on what plugins do
   * @param blockIo empty if plugins can't put containers in classes of block I/O
   * @param scratch a folder for sockets that live for a moment
   * @param lowestOomScoreAdj the kernel lets the daemon set no less
   */
  public Nri(
      NriSettings settings,
      NodeRules rules,
      Optional<BlockIoClasses> blockIo,
      Path scratch,
      CdiInjector cdi,
      RuntimeFeatureProbe runtimes,
      int lowestOomScoreAdj,
      PluginMeter meter) {
    this.settings = settings;
    this.scratch = scratch;
    this.meter = meter;
    this.containers =
        new NriContainers(
            plugins,
            this::node,
            new Creation(rules, blockIo, cdi, new IgnoredAdjustments(runtimes), lowestOomScoreAdj));
    this.pods = new NriPods(plugins, containers, this::node);
  }

  /** To be the last of the isolators: plugins see what all others made. */
  public Isolator isolator() {
    return containers;
  }

  /** To be the last of the extensions, so that it is the first to hear of a pod's end. */
  public PodExtension podExtension() {
    return pods;
  }

  /**
   * Starts the plugins of the folder, waits until they take part, and lets others connect. What
   * goes wrong with a plugin or with the socket is logged: the node works without.
   */
  public void start(Pods nodePods, Containers nodeContainers) {
    NodeAccess access = new NodeAccess(nodePods, nodeContainers, settings.requestTimeout());
    node = access;
    launchAll(access);
    try {
      listen(access);
    } catch (IOException e) {
      LOG.atWarn()
          .addKeyValue("socket", settings.socket())
          .setCause(e)
          .log("NRI plugins can't connect: the socket can't be made");
    }
  }

  private NodeAccess node() {
    NodeAccess access = node;
    if (access == null) {
      throw new IllegalStateException("no plugin can be there before the start");
    }
    return access;
  }

  /** The plugins that take part, in the order in which they are asked. */
  public List<PluginView> view() {
    return plugins.all().stream().map(PluginView::of).toList();
  }

  private void launchAll(NodeAccess access) {
    PluginLauncher launcher = new PluginLauncher(settings, scratch);
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      for (PluginIdentity identity : launcher.find()) {
        executor.execute(() -> launch(launcher, identity, access));
      }
    } catch (IOException e) {
      LOG.atWarn()
          .addKeyValue("folder", settings.pluginFolder())
          .setCause(e)
          .log("the folder of NRI plugins can't be read");
    }
  }

  private void launch(PluginLauncher launcher, PluginIdentity identity, NodeAccess access) {
    try {
      String config = launcher.config(identity);
      PluginLauncher.Launched launched = launcher.launch(identity);
      synchronized (processes) {
        processes.add(launched.process());
      }
      PluginSession session = session(access, launched.socket(), identity, config);
      session.peer().whenGone(_ -> end(launched.process()));
      begin(session);
    } catch (IOException e) {
      LOG.atWarn()
          .addKeyValue("plugin", identity.label())
          .setCause(e)
          .log("NRI plugin can't be started");
    }
  }

  private void end(Spawned process) {
    synchronized (processes) {
      processes.remove(process);
    }
    Thread.ofVirtual().name("nri-end").start(process::close);
  }

  private void listen(NodeAccess access) throws IOException {
    SocketFile file = new SocketFile(settings.socket(), SOCKET_GROUP);
    ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      channel.bind(UnixDomainSocketAddress.of(file.prepare()));
      file.publish();
    } catch (IOException e) {
      channel.close();
      throw e;
    }
    listener = channel;
    Thread.ofVirtual().name("nri-listener").start(() -> accept(channel, access));
  }

  private void accept(ServerSocketChannel channel, NodeAccess access) {
    while (channel.isOpen()) {
      try {
        SocketChannel socket = channel.accept();
        Thread.ofVirtual()
            .name("nri-session")
            .start(() -> begin(session(access, socket, null, "")));
      } catch (ClosedChannelException _) {
        return;
      } catch (IOException e) {
        LOG.atWarn().setCause(e).log("an NRI plugin could not connect");
        LockSupport.parkNanos(PAUSE_NANOS); // such as while no descriptor is left
      }
    }
  }

  private PluginSession session(
      NodeAccess access, SocketChannel socket, @Nullable PluginIdentity started, String config) {
    return new PluginSession(
        settings,
        new Synchronization(plugins, pods, containers, settings.registrationTimeout()),
        access,
        meter,
        socket,
        started,
        config);
  }

  private void begin(PluginSession session) {
    session.begin().ifPresent(plugin -> session.peer().whenGone(_ -> plugins.detach(plugin)));
  }

  /** Disconnects all plugins, and ends those that were started here. */
  @Override
  public void close() throws IOException {
    ServerSocketChannel channel = listener;
    if (channel != null) {
      channel.close();
      new SocketFile(settings.socket(), SOCKET_GROUP).delete();
    }
    plugins.all().forEach(Plugin::shutDown);
    List<Spawned> left;
    synchronized (processes) {
      left = List.copyOf(processes);
      processes.clear();
    }
    left.forEach(Spawned::close);
  }
}
