package io.keelson.csi.volume;

import io.keelson.csi.driver.CallPolicy;
import io.keelson.csi.driver.Operation;
import io.keelson.proto.node.v1.Publication;
import io.keelson.proto.node.v1.VolumeStatus;
import io.keelson.proto.record.v1.PublicationPhase;
import io.keelson.proto.record.v1.PublicationRecord;
import io.keelson.sandbox.FaultPoints;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.error.NotFoundException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The volumes of this node. Safe for use by many threads; reading waits for nobody. */
public final class Volumes implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Volumes.class);

  private final VolumeTable table;
  private final VolumeFolders folders;
  private final CallPolicy policy;
  private final PublishVolume publish;
  private final UnpublishVolume unpublish;
  private final Janitor janitor;
  private final VolumeRecovery recovery;
  private final Provisioned provisioned;

  /**
   * @param calls to drivers of volumes that CreateVolume makes
   */
  public Volumes(
      VolumeFolders folders,
      VolumeBackends backends,
      ProvisioningCalls calls,
      CallPolicy policy,
      FaultPoints faults)
      throws IOException {
    this.folders = folders;
    this.policy = policy;
    this.table = new VolumeTable(folders, policy.courtesy());
    Journey journey = new Journey(table, backends, folders, faults);
    this.unpublish = new UnpublishVolume(table, backends, folders, journey, faults);
    this.janitor = new Janitor(policy.callTimeout(), unpublish);
    VolumeChanges changes = new VolumeChanges(table, folders, calls, faults);
    this.publish =
        new PublishVolume(table, backends, folders, journey, changes, unpublish, janitor, faults);
    VolumeCreation creation = new VolumeCreation(table, calls, faults);
    this.provisioned = new Provisioned(table, folders, creation, changes, janitor);
    this.recovery =
        new VolumeRecovery(
            table, backends, folders, publish, provisioned, janitor, journey.bootId());
  }

  /**
   * Takes over what an earlier life of the daemon left; comes once, before any other call.
   *
   * @param knownPods the ids of all pods that exist
   */
  public void recover(Set<String> knownPods) throws IOException {
    recovery.run(knownPods);
  }

  /** A driver has come back: what waits for one is tried at once. */
  public void wakeUp() {
    janitor.wakeUp();
  }

  /**
   * Makes a volume appear at a path of its own. Harmless if it is there.
   *
   * @throws KeelsonException with the driver's words; nothing is left then, or the rest is cleared
   *     away in the background
   */
  public Publication publish(PublicationRequest request, Operation.Listener listener)
      throws IOException {
    Operation operation = Operation.of(policy.operationTimeout(), listener);
    Publication published = VolumeViews.of(publish.publish(request, operation));
    LOG.atInfo()
        .addKeyValue("publication", published.getId())
        .addKeyValue("path", published.getPath())
        .log("volume is published");
    return published;
  }

  /** The reverse. Harmless if it is gone. */
  public void unpublish(String id, Operation.Listener listener) throws IOException {
    unpublish.unpublish(id, Operation.of(policy.operationTimeout(), listener));
  }

  /**
   * The reverse, for a pod that is not to wait for a driver: if it does not succeed soon, it goes
   * on in the background, and the volume is listed with its trouble.
   */
  public void release(String id) {
    try {
      unpublish.unpublish(id, Operation.of(policy.callTimeout(), Operation.Listener.NONE));
    } catch (IOException | KeelsonException e) {
      LOG.atWarn()
          .addKeyValue("publication", id)
          .addKeyValue("why", e.getMessage())
          .log("a volume could not be unpublished yet: it is tried again in the background");
      janitor.unpublish(id);
    }
  }

  /** The publications that belong to a pod, from memory. */
  public List<Publication> ofPod(String podId) {
    return table.ofPod(podId).stream().map(VolumeViews::of).toList();
  }

  /** One that is there and complete. */
  public Optional<Publication> published(String id) {
    return table
        .publication(id)
        .filter(each -> each.getPhase() == PublicationPhase.PUBLICATION_PHASE_PUBLISHED)
        .map(VolumeViews::of);
  }

  /** All volumes, from memory. */
  public List<VolumeStatus> list() {
    return table.all().stream().map(VolumeViews::of).toList();
  }

  /** How many volumes there are in each state, {@code stuck} among them; from memory. */
  public Map<String, Integer> countByState() {
    Map<String, Integer> counts = new TreeMap<>();
    Collection<VolumeEntry> all = table.all();
    for (VolumeEntry volume : all) {
      VolumeStatus status = VolumeViews.of(volume);
      String state =
          volume.trouble() != null
              ? "stuck"
              : volume.isPublished() ? "published" : status.getState();
      counts.merge(state, 1, Integer::sum);
    }
    return counts;
  }

  /** Those that do not get on, one line each with the reason; from memory. */
  public List<String> stuck() {
    return list().stream()
        .filter(volume -> !volume.getTrouble().isEmpty())
        .map(
            volume ->
                "volume %s is %s, after %d failed attempts: %s"
                    .formatted(
                        volume.getName().isEmpty() ? volume.getKey() : volume.getName(),
                        volume.getState(),
                        volume.getFailedAttempts(),
                        volume.getTrouble()))
        .toList();
  }

  /** Those that CreateVolume makes. */
  public Provisioned provisioned() {
    return provisioned;
  }

  /**
   * Runs a question to a volume's driver that changes nothing: no other call for the volume comes
   * meanwhile, but if the driver is slow, the question is broken off for whoever wants to change
   * the volume.
   *
   * @throws NotFoundException if there is no such volume any more
   */
  public <T> T ask(String volumeKey, Call<T> question) throws IOException {
    return table.ask(volumeKey, question::make).orElseThrow(() -> gone(volumeKey));
  }

  /**
   * Runs a call to a volume's driver: no other one for the volume comes meanwhile.
   *
   * @throws NotFoundException if there is no such volume any more
   */
  public <T> T alone(String volumeKey, Call<T> call) throws IOException {
    return table.withVolume(volumeKey, _ -> call.make()).orElseThrow(() -> gone(volumeKey));
  }

  private static NotFoundException gone(String volumeKey) {
    return new NotFoundException("volume " + volumeKey + " is gone");
  }

  /** As above, for a call that is about several volumes. */
  public <T> T alone(Collection<String> volumeKeys, Call<T> call) throws IOException {
    // Whoever takes several locks takes them in one order.
    Call<T> whole = call;
    for (String key : new TreeSet<>(volumeKeys).descendingSet()) {
      Call<T> rest = whole;
      whole = () -> alone(key, rest);
    }
    return whole.make();
  }

  /** Calls a driver. */
  @FunctionalInterface
  public interface Call<T> {
    T make() throws IOException;
  }

  /** The volume and the place of a publication, for questions to its driver. */
  public Optional<Place> placeOf(String publicationId) {
    Optional<PublicationRecord> found = table.publication(publicationId);
    return found
        .flatMap(publication -> table.find(publication.getVolumeKey()))
        .map(
            volume ->
                new Place(
                    volume.record(),
                    Path.of(found.orElseThrow().getPath()),
                    folders.staging(volume.key())));
  }

  /** Work that is under way in the background is given up; the next start goes on with it. */
  @Override
  public void close() {
    janitor.close();
  }
}
