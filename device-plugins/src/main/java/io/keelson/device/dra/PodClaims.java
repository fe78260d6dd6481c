package io.keelson.device.dra;

import io.keelson.device.record.KeyedRecords;
import io.keelson.proto.record.v1.PreparedClaim;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.port.PodContext;
import io.keelson.sandbox.port.PodExtension;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The claims of pods: prepared at the pod's making, for all of its containers, and unprepared when
 * it stops. Which are prepared is on disk before a driver is asked.
 */
public final class PodClaims implements PodExtension {

  private static final Logger log = LoggerFactory.getLogger(PodClaims.class);

  private final KeyedRecords<PreparedClaim> prepared;
  private final DraDrivers drivers;

  /**
   * By driver, held over its calls: pods may share a claim, and one's end must not overlap with
   * another's beginning or end.
   */
  private final Map<String, ReentrantLock> calling = new ConcurrentHashMap<>();

  private PodClaims(KeyedRecords<PreparedClaim> prepared, DraDrivers drivers) {
    this.prepared = prepared;
    this.drivers = drivers;
  }

  /** Reads what an earlier life of the daemon had prepared. */
  public static PodClaims open(Path folder, DraDrivers drivers) throws IOException {
    return new PodClaims(
        KeyedRecords.open(folder, PreparedClaim.parser(), PodClaims::key), drivers);
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
      ReentrantLock lock = lock(claim.driver());
      lock.lock();
      try {
        var _ = prepared.put(record.build());
        var _ = prepared.put(record.addAllCdiDevices(drivers.prepare(claim)).build());
      } catch (IOException e) {
        throw new OperationFailedException(
            "a claim of pod sandbox %s can't be prepared: %s".formatted(pod.id(), e.getMessage()),
            e);
      } finally {
        lock.unlock();
      }
    }
  }

  private ReentrantLock lock(String driver) {
    return calling.computeIfAbsent(driver, _ -> new ReentrantLock());
  }

  /** The CDI devices that the pod's claims put into each of its containers. */
  public List<String> cdiDevices(String sandboxId) {
    return prepared.all().stream()
        .filter(claim -> claim.getSandboxId().equals(sandboxId))
        .flatMap(claim -> claim.getCdiDevicesList().stream())
        .sorted()
        .toList();
  }

  @Override
  public void stop(PodContext pod) throws IOException {
    for (PreparedClaim claim : prepared.all()) {
      if (claim.getSandboxId().equals(pod.id())) {
        unprepare(claim);
      }
    }
  }

  /** Claims of pods that are gone are unprepared as soon as their drivers are back. */
  @Override
  public void recover(Collection<PodContext> known) {
    Set<String> pods = known.stream().map(PodContext::id).collect(Collectors.toSet());
    List<PreparedClaim> orphans =
        prepared.all().stream().filter(c -> !pods.contains(c.getSandboxId())).toList();
    if (!orphans.isEmpty()) {
      Thread.ofVirtual().name("dra-orphans").start(() -> orphans.forEach(this::unprepareOrphan));
    }
  }

  private void unprepareOrphan(PreparedClaim claim) {
    try {
      unprepare(claim);
    } catch (IOException | KeelsonException e) {
      log.atWarn()
          .addKeyValue("driver", claim.getDriver())
          .addKeyValue("claim", claim.getNamespace() + "/" + claim.getName())
          .log("the claim of a pod that is gone stays prepared: {}", e.getMessage());
    }
  }

  private void unprepare(PreparedClaim claim) throws IOException {
    ReentrantLock lock = lock(claim.getDriver());
    lock.lock();
    try {
      boolean shared =
          prepared.all().stream()
              .anyMatch(
                  other ->
                      other.getUid().equals(claim.getUid())
                          && !other.getSandboxId().equals(claim.getSandboxId()));
      if (!shared) {
        drivers.unprepare(
            new ClaimName(
                claim.getDriver(), claim.getNamespace(), claim.getName(), claim.getUid()));
      }
      prepared.remove(claim);
    } finally {
      lock.unlock();
    }
  }
}
