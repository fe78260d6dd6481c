package io.keelson.csi.provision;

import com.google.protobuf.Timestamp;
import io.keelson.csi.driver.Driver;
import io.keelson.csi.driver.DriverInfo;
import io.keelson.csi.driver.DriverRegistry;
import io.keelson.csi.driver.Operation;
import io.keelson.csi.driver.Rounds;
import io.keelson.csi.volume.Volumes;
import io.keelson.proto.csi.v1.ControllerServiceCapability;
import io.keelson.proto.csi.v1.NodeServiceCapability;
import io.keelson.proto.csi.v1.VolumeCondition;
import io.keelson.proto.node.v1.AbnormalCondition;
import io.keelson.proto.node.v1.VolumeStatus;
import io.keelson.sandbox.error.KeelsonException;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which volumes their drivers say are not well (CSI spec, {@code VolumeCondition}): on this node by
 * NodeGetVolumeStats while they are published, and at the storage by ControllerGetVolume. Drivers
 * that claim neither capability are not asked. Safe for use by many threads; what was found is told
 * from memory.
 */
public final class VolumeHealth implements AutoCloseable {

  /** Where something is wrong. */
  public enum Level {
    NODE,
    CONTROLLER;

    public String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private static final Logger LOG = LoggerFactory.getLogger(VolumeHealth.class);

  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final Volumes volumes;
  private final DriverRegistry drivers;
  private final StorageQueries queries;
  private final Rounds<Subject> rounds;
  private final Map<Finding, AbnormalCondition> found = new ConcurrentHashMap<>();

  /**
   * @param publication {@code ""} if the node part is not asked
   * @param name {@code ""} if the controller is not asked
   */
  private record Subject(String key, String publication, String name) {}

  private record Finding(String key, Level level) {}

  private interface Question {
    VolumeCondition ask() throws IOException;
  }

  /**
   * Asks nobody yet.
   *
   * @param interval between two questions about a volume
   */
  public VolumeHealth(
      Volumes volumes, DriverRegistry drivers, StorageQueries queries, Duration interval) {
    this.volumes = volumes;
    this.drivers = drivers;
    this.queries = queries;
    this.rounds = new Rounds<>("volume-health", interval, this::subjects, this::examine);
  }

  public void start() {
    rounds.start();
  }

  private List<Subject> subjects() {
    List<VolumeStatus> all = volumes.list();
    Set<String> keys = all.stream().map(VolumeStatus::getKey).collect(Collectors.toSet());
    found.keySet().removeIf(finding -> !keys.contains(finding.key()));
    Map<String, DriverInfo> known = new TreeMap<>();
    for (Driver driver : drivers.all()) {
      DriverInfo info = driver.knownInfo();
      if (info != null) {
        known.put(driver.name(), info);
      }
    }
    List<Subject> subjects = new ArrayList<>();
    for (VolumeStatus volume : all) {
      DriverInfo driver = known.get(volume.getSource().getCsi().getDriver());
      if (driver != null) {
        subjects.add(subject(volume, driver));
      }
    }
    return subjects;
  }

  private static Subject subject(VolumeStatus volume, DriverInfo driver) {
    boolean node =
        driver.can(NodeServiceCapability.RPC.Type.VOLUME_CONDITION)
            && driver.can(NodeServiceCapability.RPC.Type.GET_VOLUME_STATS)
            && volume.getPublicationsCount() > 0;
    boolean controller =
        driver.can(ControllerServiceCapability.RPC.Type.VOLUME_CONDITION)
            && driver.can(ControllerServiceCapability.RPC.Type.GET_VOLUME);
    return new Subject(
        volume.getKey(),
        node ? volume.getPublications(0).getId() : "",
        controller ? volume.getName() : "");
  }

  private void examine(Subject volume) {
    learn(
        new Finding(volume.key(), Level.NODE),
        volume.publication(),
        () -> queries.stats(volume.publication(), oneAttempt()).getCondition());
    learn(
        new Finding(volume.key(), Level.CONTROLLER),
        volume.name(),
        () -> queries.volume(volume.name(), oneAttempt()).getCondition());
  }

  /** The next round asks again. */
  private static Operation oneAttempt() {
    return Operation.once(PATIENCE);
  }

  private void learn(Finding finding, String subject, Question question) {
    if (subject.isEmpty()) {
      found.remove(finding);
      return;
    }
    try {
      VolumeCondition condition = question.ask();
      if (condition.getAbnormal()) {
        found.compute(finding, (_, before) -> abnormal(finding, condition.getMessage(), before));
      } else if (found.remove(finding) != null) {
        LOG.atInfo()
            .addKeyValue("volume", finding.key())
            .addKeyValue("level", finding.level().word())
            .log("a volume is well again");
      }
    } catch (IOException | KeelsonException e) {
      // What was found last stays until somebody says otherwise.
      LOG.atDebug()
          .addKeyValue("volume", finding.key())
          .addKeyValue("why", e.getMessage())
          .log("no word of how a volume fares");
    }
  }

  private static AbnormalCondition abnormal(
      Finding finding, String message, @Nullable AbnormalCondition before) {
    if (before != null && before.getMessage().equals(message)) {
      return before;
    }
    LOG.atWarn()
        .addKeyValue("volume", finding.key())
        .addKeyValue("level", finding.level().word())
        .addKeyValue("words", message)
        .log("a driver says that a volume is not well");
    return AbnormalCondition.newBuilder()
        .setLevel(finding.level().word())
        .setMessage(message)
        .setSince(before == null ? now() : before.getSince())
        .build();
  }

  private static Timestamp now() {
    Instant now = Instant.now();
    return Timestamp.newBuilder().setSeconds(now.getEpochSecond()).setNanos(now.getNano()).build();
  }

  /** All volumes, with what is wrong with them. */
  public List<VolumeStatus> list() {
    return volumes.list().stream()
        .map(volume -> volume.toBuilder().addAllAbnormal(of(volume.getKey())).build())
        .toList();
  }

  private List<AbnormalCondition> of(String key) {
    return Stream.of(Level.values())
        .flatMap(level -> Optional.ofNullable(found.get(new Finding(key, level))).stream())
        .toList();
  }

  /** A line for each volume that is not well, for people. */
  public List<String> lines() {
    return list().stream()
        .flatMap(
            volume ->
                volume.getAbnormalList().stream()
                    .map(
                        each ->
                            "volume %s is not well (%s): %s"
                                .formatted(
                                    volume.getName().isEmpty() ? volume.getKey() : volume.getName(),
                                    each.getLevel(),
                                    each.getMessage())))
        .toList();
  }

  /** How many volumes are not well, by level. */
  public Map<String, Integer> countByLevel() {
    Map<String, Integer> counts = new TreeMap<>();
    for (Level level : Level.values()) {
      counts.put(level.word(), 0);
    }
    found.keySet().forEach(finding -> counts.merge(finding.level().word(), 1, Integer::sum));
    return counts;
  }

  @Override
  public void close() {
    rounds.close();
  }
}
