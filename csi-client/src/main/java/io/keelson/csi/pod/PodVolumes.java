package io.keelson.csi.pod;

import io.keelson.csi.driver.Operation;
import io.keelson.csi.volume.PublicationRequest;
import io.keelson.csi.volume.Volumes;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.PodSandboxMetadata;
import io.keelson.proto.cri.v1.SELinuxOption;
import io.keelson.proto.node.v1.Publication;
import io.keelson.proto.node.v1.VolumeSource;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.port.PodContext;
import io.keelson.sandbox.port.PodExtension;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Publishes the volumes that a pod's annotations ask for when the pod is made, all at the same
 * time, and takes them away when its containers have ended. A pod that asks for none costs nothing.
 */
public final class PodVolumes implements PodExtension {

  private final Volumes volumes;

  public PodVolumes(Volumes volumes) {
    this.volumes = volumes;
  }

  /** The id of the publication of a pod's volume. */
  static String publicationId(String podId, String volume) {
    return podId + "." + volume;
  }

  @Override
  public void run(PodContext pod) throws IOException {
    Map<String, VolumeSource> wanted = VolumeAnnotations.volumes(pod.config().getAnnotationsMap());
    List<Work> work = new ArrayList<>();
    wanted.forEach(
        (name, source) ->
            work.add(() -> volumes.publish(request(pod, name, source), Operation.Listener.NONE)));
    inParallel(work);
  }

  private static PublicationRequest request(PodContext pod, String name, VolumeSource source) {
    PodSandboxMetadata metadata = pod.config().getMetadata();
    return new PublicationRequest(
        publicationId(pod.id(), name),
        pod.id(),
        name,
        metadata.getName(),
        metadata.getNamespace(),
        metadata.getUid(),
        source.getCsi().getSelinuxMount() ? selinuxLabel(pod.config()) : "",
        source);
  }

  /** The label that the files of the pod's containers have. */
  private static String selinuxLabel(PodSandboxConfig pod) {
    SELinuxOption options = pod.getLinux().getSecurityContext().getSelinuxOptions();
    if (options.getLevel().isEmpty()) {
      return "";
    }
    String user = options.getUser().isEmpty() ? "system_u" : options.getUser();
    return user + ":object_r:container_file_t:" + options.getLevel();
  }

  @Override
  public void stop(PodContext pod) throws IOException {
    List<Work> work = new ArrayList<>();
    for (Publication publication : volumes.ofPod(pod.id())) {
      work.add(() -> volumes.release(publication.getId()));
    }
    inParallel(work);
  }

  @Override
  public void remove(PodContext pod) throws IOException {
    stop(pod);
  }

  @Override
  public void recover(Collection<PodContext> known) throws IOException {
    volumes.recover(known.stream().map(PodContext::id).collect(Collectors.toSet()));
  }

  private interface Work {
    void run() throws IOException;
  }

  /** Ends when all have ended, with the first failure. */
  private static void inParallel(List<Work> all) throws IOException {
    if (all.size() <= 1) {
      for (Work work : all) {
        work.run();
      }
      return;
    }
    List<Future<?>> running = new ArrayList<>();
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      for (Work work : all) {
        running.add(
            executor.submit(
                () -> {
                  work.run();
                  return null;
                }));
      }
    }
    for (Future<?> one : running) {
      try {
        one.get();
      } catch (ExecutionException e) {
        rethrow(e.getCause());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new OperationFailedException("interrupted", e);
      }
    }
  }

  private static void rethrow(@Nullable Throwable failure) throws IOException {
    switch (failure) {
      case IOException e -> throw e;
      case RuntimeException e -> throw e;
      case null, default -> throw new OperationFailedException(String.valueOf(failure), failure);
    }
  }
}
