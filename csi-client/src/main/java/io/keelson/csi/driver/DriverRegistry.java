package io.keelson.csi.driver;

import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.error.UnavailableException;
import io.keelson.sandbox.rpc.UnixChannels;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The drivers of the node: those of the configuration, those that register themselves as with a
 * kubelet (plugin registration v1, type {@code CSIPlugin}), and one that is built in. Safe for use
 * by many threads.
 */
public final class DriverRegistry implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(DriverRegistry.class);

  /** For a look at a driver that nobody waits for. */
  private static final Duration LOOK = Duration.ofSeconds(5);

  private final Channels channels;
  private final CallPolicy policy;
  private final CallMetrics metrics;
  private final Optional<BuiltInDriver> builtIn;
  private final Map<String, Driver> drivers = new ConcurrentHashMap<>();
  private final List<Driver> nameless = new CopyOnWriteArrayList<>();

  /** Registered and gone: who is in the midst of an operation waits for them to come back. */
  private final Map<String, Driver> departed = new ConcurrentHashMap<>();

  private final List<Consumer<String>> arrivals = new CopyOnWriteArrayList<>();
  private final ReentrantLock lock = new ReentrantLock();
  private final Rounds<Driver> watch;

  /**
   * Calls nobody yet.
   *
   * @param configured endpoints of the configuration; what listens there says its name itself
   */
  public DriverRegistry(
      UnixChannels unix,
      TlsFiles tls,
      List<Endpoint> configured,
      Optional<BuiltInDriver> builtIn,
      CallPolicy policy,
      CallMetrics metrics,
      Duration probeInterval)
      throws IOException {
    this.channels = new Channels(unix, tls);
    this.policy = policy;
    this.metrics = metrics;
    this.builtIn = builtIn;
    for (Endpoint endpoint : configured) {
      nameless.add(open("", endpoint, Driver.Origin.CONFIGURATION));
    }
    this.watch = new Rounds<>("csi-health", probeInterval, this::all, this::look);
  }

  /** Begins to look after the drivers: names those of the configuration, probes all. */
  public void start() {
    watch.start();
  }

  /** The listener is called with a driver's name when it has come or come back. */
  public void onArrival(Consumer<String> listener) {
    arrivals.add(listener);
  }

  /**
   * Looks at what a driver says that asks to be used.
   *
   * @param versions of CSI that it speaks
   * @throws InvalidRequestException if none of them is of major version 1
   */
  public void validate(String name, List<String> versions) {
    if (versions.stream().noneMatch(version -> version.matches("v?1(\\..*)?"))) {
      throw new InvalidRequestException(
          "CSI driver " + name + " speaks versions " + versions + ", none of which is 1.x");
    }
  }

  /**
   * A driver asks to be used, as a kubelet's plugin does; one that is there under the name is
   * replaced. One that comes back to where it was before goes on with what it was asked then.
   *
   * @param name as the plugin gives it; the driver at the endpoint must give the same one
   * @throws KeelsonException if it can't be used; the message is for the plugin
   */
  public void register(String name, Path endpoint, List<String> versions) throws IOException {
    validate(name, versions);
    Endpoint socket = new Endpoint.UnixSocket(endpoint);
    Driver driver = open(name, socket, Driver.Origin.REGISTRATION);
    try {
      DriverInfo info = driver.info(look());
      if (!info.name().equals(name)) {
        throw new InvalidRequestException(
            "the CSI driver at %s calls itself %s, not %s".formatted(endpoint, info.name(), name));
      }
    } catch (KeelsonException e) {
      driver.close();
      throw e;
    }
    Optional<Driver> before = registered(name, socket);
    before.ifPresent(
        known -> {
          driver.close();
          known.renewed();
        });
    add(before.orElse(driver));
  }

  /** One that registered itself before and may be gone. */
  private Optional<Driver> registered(String name, Endpoint endpoint) {
    return Stream.of(drivers, departed)
        .flatMap(some -> Optional.ofNullable(some.get(name)).stream())
        .filter(driver -> isRegistered(driver, endpoint))
        .findFirst();
  }

  private static boolean isRegistered(Driver driver, Endpoint endpoint) {
    return driver.origin() == Driver.Origin.REGISTRATION && driver.endpoint().equals(endpoint);
  }

  /** A registered driver is gone. Harmless if another one has taken its name since. */
  public void deregister(String name, Path endpoint) {
    lock.lock();
    try {
      Driver driver = drivers.get(name);
      if (driver != null && isRegistered(driver, new Endpoint.UnixSocket(endpoint))) {
        drivers.remove(name);
        departed.put(name, driver);
        LOG.atInfo().addKeyValue("driver", name).log("a CSI driver has deregistered");
      }
    } finally {
      lock.unlock();
    }
  }

  /** All drivers that are known, also those that have not said their name yet. */
  public List<Driver> all() {
    List<Driver> all = new ArrayList<>(drivers.values());
    all.addAll(nameless);
    return all;
  }

  /**
   * The driver of this name; one that is not there (yet) is waited for as long as the operation has
   * time.
   *
   * @throws UnavailableException if there is none
   */
  public Driver get(String name, Operation operation) throws IOException {
    for (int attempt = 1; ; attempt++) {
      Optional<Driver> found = find(name);
      if (found.isPresent()) {
        return found.get();
      }
      String words = "no CSI driver " + name + " is there: not registered" + silent();
      operation.listener().step("FindDriver", attempt, attempt == 1 ? "" : words);
      if (!operation.pause(policy.pauseAfter(attempt))) {
        throw new UnavailableException(words);
      }
    }
  }

  /** Why none of the configuration's is the one. */
  private String silent() {
    if (nameless.isEmpty()) {
      return " and not configured";
    }
    return nameless.stream()
        .map(driver -> driver.endpoint() + " does not say its name: " + driver.health().message())
        .collect(Collectors.joining("; ", "; ", ""));
  }

  private Optional<Driver> find(String name) throws IOException {
    Driver driver = drivers.get(name);
    if (driver != null) {
      return Optional.of(driver);
    }
    nameless.forEach(watch::look);
    boolean maybeConfigured =
        nameless.stream().anyMatch(each -> each.health().state() == DriverHealth.State.UNKNOWN);
    return builtIn.isPresent() && builtIn.get().name().equals(name) && !maybeConfigured
        ? Optional.of(startBuiltIn(builtIn.get()))
        : Optional.empty();
  }

  /**
   * Asks one of the configuration that has not answered yet for its name, and any other how it is.
   */
  private void look(Driver driver) {
    if (driver.name().isEmpty()) {
      name(driver);
    } else {
      probe(driver);
    }
  }

  private void name(Driver driver) {
    try {
      Driver named = driver.named(driver.info(look()).name());
      if (nameless.remove(driver)) {
        add(named);
      }
    } catch (KeelsonException e) {
      driver.health(
          new DriverHealth(DriverHealth.State.UNREACHABLE, String.valueOf(e.getMessage())));
    }
  }

  private Driver startBuiltIn(BuiltInDriver part) throws IOException {
    lock.lock();
    try {
      Driver running = drivers.get(part.name());
      if (running != null) {
        return running;
      }
      Endpoint endpoint = new Endpoint.UnixSocket(part.start());
      Driver driver = open(part.name(), endpoint, Driver.Origin.BUILT_IN);
      add(driver);
      return driver;
    } finally {
      lock.unlock();
    }
  }

  private Driver open(String name, Endpoint endpoint, Driver.Origin origin) throws IOException {
    return new Driver(name, endpoint, origin, channels.open(endpoint), policy, metrics);
  }

  private void add(Driver driver) {
    lock.lock();
    try {
      closeUnless(driver, drivers.put(driver.name(), driver));
      closeUnless(driver, departed.remove(driver.name()));
    } finally {
      lock.unlock();
    }
    driver.health(DriverHealth.READY);
    LOG.atInfo()
        .addKeyValue("driver", driver.name())
        .addKeyValue("endpoint", driver.endpoint())
        .addKeyValue("origin", driver.origin().word())
        .log("a CSI driver is there");
    arrived(driver.name());
  }

  private static void closeUnless(Driver same, @Nullable Driver driver) {
    if (driver != null && driver != same) {
      driver.close();
    }
  }

  private void arrived(String name) {
    arrivals.forEach(listener -> listener.accept(name));
  }

  private static Operation look() {
    return Operation.once(LOOK);
  }

  private void probe(Driver driver) {
    boolean away = driver.health().state() == DriverHealth.State.UNREACHABLE;
    driver.health(new Introspection(driver).probe(look()));
    if (away && driver.health().state() == DriverHealth.State.READY) {
      arrived(driver.name());
    }
  }

  @Override
  public void close() {
    watch.close();
    all().forEach(Driver::close);
    departed.values().forEach(Driver::close);
    builtIn.ifPresent(
        part -> {
          try {
            part.close();
          } catch (IOException e) {
            throw new OperationFailedException("the built-in CSI driver did not end well", e);
          }
        });
  }
}
