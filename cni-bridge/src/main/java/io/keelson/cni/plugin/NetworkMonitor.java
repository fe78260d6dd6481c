package io.keelson.cni.plugin;

import io.keelson.cni.plugin.ConfigurationFolder.Contents;
import io.keelson.sandbox.port.PodNetwork.Condition;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Knows the network of the pods and whether it is able to take one. A thread of its own reads the
 * folder when it changes and asks the plugins for their versions and their status, so that no pod
 * waits for that.
 */
final class NetworkMonitor implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(NetworkMonitor.class);

  /** Plugins answer within milliseconds; one that does not must not hold up the daemon's start. */
  private static final Duration START_PATIENCE = Duration.ofSeconds(1);

  /** How often a network that can't take pods is looked at. */
  private static final Duration RETRY = Duration.ofSeconds(5);

  /** A change of several files, or of one in several steps, is read once. */
  private static final Duration SETTLE = Duration.ofMillis(100);

  private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(1);

  private static final int MAX_FOLLOWS = 5;

  private final ConfigurationFolder folder;
  private final PluginChain chain;
  private final VersionProbe versions;
  private final Duration interval;

  private final ConfigurationWatch watch = new ConfigurationWatch(this::wake);
  private final CountDownLatch firstProbe = new CountDownLatch(1);
  private final Object signal = new Object();
  private boolean signalled;
  private volatile boolean closed;
  private volatile State state;
  private @Nullable Thread thread;

  NetworkMonitor(
      ConfigurationFolder folder, PluginChain chain, VersionProbe versions, Duration interval) {
    this.folder = folder;
    this.chain = chain;
    this.versions = versions;
    this.interval = interval;
    Contents contents = read();
    this.state =
        new State(
            contents.isEmpty(), contents.network(), condition(contents, "it was not asked yet"));
  }

  /**
   * @param empty the folder holds no configuration, good or bad
   * @param network with the versions left that all of its plugins support
   */
  private record State(
      boolean empty, Optional<NetworkConfiguration> network, Condition condition) {}

  /**
   * Begins to watch. Waits a moment for the first answers.
   *
   * @param regularly runs after each look at the network, on the monitor's thread
   */
  void start(Runnable regularly) {
    thread = Thread.ofVirtual().name("cni-monitor").start(() -> loop(regularly));
    awaitFirstProbe(START_PATIENCE);
  }

  boolean isEmpty() {
    return state.empty();
  }

  Condition condition() {
    return state.condition();
  }

  /** The network that is in use, for people. */
  Map<String, String> details() {
    Optional<NetworkConfiguration> network = state.network();
    return network.isEmpty()
        ? Map.of()
        : Map.of(
            "name",
            network.get().name(),
            "version",
            network.get().version().toString(),
            "plugins",
            network.get().plugins().stream()
                .map(PluginConfiguration::type)
                .collect(Collectors.joining(", ")));
  }

  /** The network that a pod would be attached to now. */
  Optional<NetworkConfiguration> network() {
    Optional<NetworkConfiguration> network = state.network();
    if (network.isPresent() && network.get().versions().size() > 1) {
      // which version to use is known when the plugins have told theirs
      awaitFirstProbe(Duration.ofMinutes(1));
      return state.network();
    }
    return network;
  }

  /** Has the folder read and the plugins asked anew, soon. */
  void wake() {
    synchronized (signal) {
      signalled = true;
      signal.notifyAll();
    }
  }

  @Override
  public void close() {
    closed = true;
    Thread running = thread;
    if (running == null) {
      watch.close();
      return;
    }
    running.interrupt();
    try {
      // a plugin that is being asked ends at its deadline, and nobody waits for its answer
      boolean ignored = running.join(CLOSE_PATIENCE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void awaitFirstProbe(Duration patience) {
    try {
      boolean ignored = firstProbe.await(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void loop(Runnable regularly) {
    try (watch) {
      while (!closed) {
        try {
          publish(probe(read()));
          firstProbe.countDown();
          regularly.run();
        } catch (RuntimeException e) {
          log.error("the CNI network could not be looked at", e);
        }
        pause();
      }
    } catch (InterruptedException e) {
      // closed
    } finally {
      firstProbe.countDown();
    }
  }

  private void pause() throws InterruptedException {
    Duration longest =
        state.condition().ready() || interval.compareTo(RETRY) < 0 ? interval : RETRY;
    long end = System.nanoTime() + longest.toNanos();
    synchronized (signal) {
      for (long left = longest.toMillis(); !signalled && left > 0; ) {
        signal.wait(left);
        left = (end - System.nanoTime()) / 1_000_000;
      }
      if (!signalled) {
        return;
      }
    }
    Thread.sleep(SETTLE);
    synchronized (signal) {
      signalled = false;
    }
  }

  private Contents read() {
    Contents contents = folder.load();
    for (int i = 0; i < MAX_FOLLOWS && watch.follow(contents.folders()); i++) {
      contents = folder.load();
    }
    return contents;
  }

  private State probe(Contents contents) {
    if (contents.network().isEmpty()) {
      return new State(contents.isEmpty(), Optional.empty(), condition(contents, ""));
    }
    NetworkConfiguration network = contents.network().get();
    String problem = "";
    try {
      Set<CniVersion> common = EnumSet.allOf(CniVersion.class);
      for (PluginConfiguration plugin : network.plugins()) {
        common.retainAll(versions.supportedBy(network, plugin));
      }
      Optional<NetworkConfiguration> usable = network.restrictedTo(common);
      if (usable.isPresent()) {
        network = usable.get();
        chain.status(network);
      } else {
        problem =
            "its plugins have only the CNI versions %s in common, the configuration wants %s"
                .formatted(common, network.versions());
      }
    } catch (PluginException e) {
      problem = String.valueOf(e.getMessage());
    }
    return new State(false, Optional.of(network), condition(contents, problem));
  }

  private Condition condition(Contents contents, String problem) {
    List<String> told = contents.broken();
    String skipped = told.isEmpty() ? "" : "skipped: " + String.join("; ", told);
    if (contents.network().isPresent()) {
      String name = contents.network().get().name();
      return problem.isEmpty()
          ? new Condition(true, "", skipped)
          : notReady(
              "network " + name + ": " + problem + (skipped.isEmpty() ? "" : "; " + skipped));
    }
    return told.isEmpty()
        ? notReady("no CNI configuration in " + folder.path())
        : notReady(String.join("; ", told));
  }

  private static Condition notReady(String message) {
    return new Condition(
        false, "NetworkPluginNotReady", "Network plugin returns error: " + message);
  }

  private void publish(State next) {
    State before = state;
    state = next;
    if (!before.network().equals(next.network())) {
      next.network()
          .ifPresentOrElse(
              network ->
                  log.info(
                      "pods join the CNI network {} (version {}, plugins {})",
                      network.name(),
                      network.version(),
                      network.plugins().stream().map(PluginConfiguration::type).toList()),
              () -> log.info("no valid CNI network in {}", folder.path()));
    }
    if (!before.condition().equals(next.condition()) && !next.condition().message().isEmpty()) {
      log.warn("CNI: {}", next.condition().message());
    }
  }
}
