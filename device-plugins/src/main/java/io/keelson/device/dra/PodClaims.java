package io.keelson.device.dra;

import io.keelson.linux.AtomicFile;
import io.keelson.proto.record.v1.PreparedClaim;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.port.PodContext;
import io.keelson.sandbox.port.PodExtension;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The claims of pods: prepared at the pod's making, for all of its containers, and unprepared when
 * it stops. Which are prepared is on disk before a driver is asked.
 */
public final class PodClaims implements PodExtension {

  private static final Logger log = LoggerFactory.getLogger(PodClaims.class);

  private final Path folder;
  private final DraDrivers drivers;
  private final Map<Path, PreparedClaim> prepared = new ConcurrentHashMap<>();

  private PodClaims(Path folder, DraDrivers drivers) {
    this.folder = folder;
    this.drivers = drivers;
  }

  /** Reads what an earlier life of the daemon had prepared. */
  public static PodClaims open(Path folder, DraDrivers drivers) throws IOException {
    PodClaims claims = new PodClaims(Files.createDirectories(folder), drivers);
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path file : files) {
        PreparedClaim claim = PreparedClaim.parseFrom(Files.readAllBytes(file));
        if (file.equals(claims.file(claim))) {
          claims.prepared.put(file, claim);
        } else {
          Files.delete(file); // a temporary file of a daemon that was killed
        }
      }
    }
    return claims;
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
      write(record.build());
      try {
        write(record.addAllCdiDevices(drivers.prepare(claim)).build());
      } catch (IOException e) {
        throw new OperationFailedException(
            "a claim of pod sandbox %s can't be prepared: %s".formatted(pod.id(), e.getMessage()),
            e);
      }
    }
  }

  /** The CDI devices that the pod's claims put into each of its containers. */
  public List<String> cdiDevices(String sandboxId) {
    return prepared.values().stream()
        .filter(claim -> claim.getSandboxId().equals(sandboxId))
        .flatMap(claim -> claim.getCdiDevicesList().stream())
        .sorted()
        .toList();
  }

  @Override
  public void stop(PodContext pod) throws IOException {
    for (PreparedClaim claim : prepared.values()) {
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
        prepared.values().stream().filter(c -> !pods.contains(c.getSandboxId())).toList();
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
    boolean shared =
        prepared.values().stream()
            .anyMatch(
                other ->
                    other.getUid().equals(claim.getUid())
                        && !other.getSandboxId().equals(claim.getSandboxId()));
    if (!shared) {
      drivers.unprepare(
          new ClaimName(claim.getDriver(), claim.getNamespace(), claim.getName(), claim.getUid()));
    }
    Files.deleteIfExists(file(claim));
    prepared.remove(file(claim));
  }

  private void write(PreparedClaim claim) throws IOException {
    AtomicFile.write(file(claim), claim.toByteArray(), true);
    prepared.put(file(claim), claim);
  }

  private Path file(PreparedClaim claim) {
    String key = claim.getSandboxId() + '\0' + claim.getDriver() + '\0' + claim.getUid();
    return folder.resolve(UUID.nameUUIDFromBytes(key.getBytes(StandardCharsets.UTF_8)).toString());
  }
}
