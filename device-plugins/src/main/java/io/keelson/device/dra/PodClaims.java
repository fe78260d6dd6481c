package io.keelson.device.dra;

import io.keelson.device.record.KeyedRecords;
import io.keelson.proto.record.v1.PreparedClaim;
import io.keelson.sandbox.FaultPoints;
import io.keelson.sandbox.NamedLocks;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.port.PodContext;
import io.keelson.sandbox.port.PodExtension;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The claims of pods: prepared at the pod's making, for all of its containers, and unprepared when
 * it stops. Which are prepared is on disk before a driver is asked.
 *
 * <p>No driver keeps a pod from its end: a claim that can't be unprepared then stays recorded, and
 * its driver is asked again until it is. Safe for use by many threads.
 */
public final class PodClaims implements PodExtension, AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(PodClaims.class);

  private static final Duration FIRST_RETRY = Duration.ofSeconds(1);
  private static final Duration LAST_RETRY = Duration.ofMinutes(1);

  private final KeyedRecords<PreparedClaim> prepared;
  private final DraDrivers drivers;
  private final FaultPoints faults;

  /**
   * By claim. Held over a driver's calls: pods may share a claim, and one's end must not overlap
   * with another's beginning or end.
   */
  private final NamedLocks calling = new NamedLocks();

  /** There are claims to be unprepared that no pod has any more. */
  private final Semaphore owed = new Semaphore(0);

  private final Thread settler;

  private PodClaims(KeyedRecords<PreparedClaim> prepared, DraDrivers drivers, FaultPoints faults) {
    this.prepared = prepared;
    this.drivers = drivers;
    this.faults = faults;
    this.settler = Thread.ofVirtual().name("dra-owed-claims").unstarted(this::settle);
  }

  /** Reads what an earlier life of the daemon had prepared. */
  public static PodClaims open(Path folder, DraDrivers drivers, FaultPoints faults)
      throws IOException {
    PodClaims claims =
        new PodClaims(
            KeyedRecords.open(folder, PreparedClaim.parser(), PodClaims::key), drivers, faults);
    claims.settler.start();
    return claims;
  }

  private static String key(PreparedClaim claim) {
    return claim.getSandboxId() + '\0' + claim.getDriver() + '\0' + claim.getUid();
  }

  @Override
  public void run(PodContext pod) throws IOException {
    String text = pod.config().getAnnotationsMap().getOrDefault(ClaimName.ANNOTATION, "");
    for (ClaimName claim : ClaimName.parse(text)) {
      PreparedClaim.Builder record =
          PreparedClaim.newBuilder()
              .setSandboxId(pod.id())
              .setDriver(claim.driver())
              .setNamespace(claim.namespace())
              .setName(claim.name())
              .setUid(claim.uid());
      try (NamedLocks.Held _ = hold(claim.driver(), claim.uid())) {
        var _ = prepared.put(record.build());
        faults.reached("Claims:recorded");
        record.addAllCdiDevices(drivers.prepare(claim));
        faults.reached("Claims:prepared");
        var _ = prepared.put(record.build());
      } catch (IOException e) {
        throw new OperationFailedException(
            "a claim of pod sandbox %s can't be prepared: %s".formatted(pod.id(), e.getMessage()),
            e);
      }
    }
  }

  private NamedLocks.Held hold(String driver, String uid) {
    return calling.hold(driver + '\0' + uid);
  }

  /** The CDI devices that the pod's claims put into each of its containers. */
  public List<String> cdiDevices(String sandboxId) {
    return prepared.all().stream()
        .filter(claim -> claim.getSandboxId().equals(sandboxId))
        .flatMap(claim -> claim.getCdiDevicesList().stream())
        .distinct()
        .sorted()
        .toList();
  }

  @Override
  public void stop(PodContext pod) throws IOException {
    for (PreparedClaim claim : prepared.all()) {
      if (claim.getSandboxId().equals(pod.id())) {
        try {
          unprepare(claim);
        } catch (IOException | KeelsonException e) {
          log.atWarn()
              .addKeyValue("pod", pod.id())
              .addKeyValue("driver", claim.getDriver())
              .addKeyValue("claim", claim.getNamespace() + "/" + claim.getName())
              .log("a claim stays prepared, its driver is asked again: {}", e.getMessage());
          owe(claim);
        }
      }
    }
  }

  private void owe(PreparedClaim claim) throws IOException {
    var _ = prepared.put(claim.toBuilder().setOwed(true).build());
    owed.release();
  }

  /** Claims of pods that are gone are unprepared as soon as their drivers are back. */
  @Override
  public void recover(Collection<PodContext> known) throws IOException {
    Set<String> pods = known.stream().map(PodContext::id).collect(Collectors.toSet());
    for (PreparedClaim claim : prepared.all()) {
      if (claim.getOwed() || !pods.contains(claim.getSandboxId())) {
        owe(claim);
      }
    }
  }

  private void settle() {
    try {
      while (true) {
        owed.acquire();
        var _ = owed.drainPermits();
        for (Duration pause = FIRST_RETRY; !settleOnce(); pause = longer(pause)) {
          Thread.sleep(pause);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // closed
    }
  }

  private static Duration longer(Duration pause) {
    Duration twice = pause.multipliedBy(2);
    return twice.compareTo(LAST_RETRY) < 0 ? twice : LAST_RETRY;
  }

  /** Whether nothing is owed any more. */
  private boolean settleOnce() {
    boolean all = true;
    for (PreparedClaim claim : prepared.all()) {
      if (claim.getOwed()) {
        try {
          unprepare(claim);
        } catch (IOException | RuntimeException e) {
          all = false;
          log.atDebug()
              .addKeyValue("driver", claim.getDriver())
              .addKeyValue("claim", claim.getNamespace() + "/" + claim.getName())
              .log("the claim of a pod that is gone stays prepared: {}", e.getMessage());
        }
      }
    }
    return all;
  }

  private void unprepare(PreparedClaim claim) throws IOException {
    try (NamedLocks.Held _ = hold(claim.getDriver(), claim.getUid())) {
      boolean shared =
          prepared.all().stream()
              .anyMatch(
                  other ->
                      other.getDriver().equals(claim.getDriver())
                          && other.getUid().equals(claim.getUid())
                          && !other.getSandboxId().equals(claim.getSandboxId()));
      if (!shared) {
        drivers.unprepare(
            new ClaimName(
                claim.getDriver(), claim.getNamespace(), claim.getName(), claim.getUid()));
        faults.reached("Claims:unprepared");
      }
      prepared.remove(claim);
    }
  }

  /** What is owed is asked for again in the daemon's next life. */
  @Override
  public void close() {
    settler.interrupt();
  }
}
