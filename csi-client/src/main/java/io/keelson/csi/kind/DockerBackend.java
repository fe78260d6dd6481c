package io.keelson.csi.kind;

import com.fasterxml.jackson.databind.JsonNode;
import io.keelson.csi.driver.Operation;
import io.keelson.csi.driver.Redaction;
import io.keelson.csi.volume.MountTable;
import io.keelson.csi.volume.SecretOptions;
import io.keelson.csi.volume.VolumeBackend;
import io.keelson.linux.KernelThreads;
import io.keelson.linux.Mounts;
import io.keelson.proto.node.v1.DockerVolume;
import io.keelson.proto.node.v1.VolumeSource;
import io.keelson.proto.record.v1.PublicationRecord;
import io.keelson.proto.record.v1.VolumeRecord;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.OperationFailedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Volumes of Docker volume plugins. The plugin mounts the volume at a place of its own and counts
 * the publications by their ids; the daemon binds that place to the target.
 */
public final class DockerBackend implements VolumeBackend {

  private static final Logger LOG = LoggerFactory.getLogger(DockerBackend.class);

  private final DockerPlugins plugins;
  private final KernelThreads kernelThreads;

  public DockerBackend(DockerPlugins plugins, KernelThreads kernelThreads) {
    this.plugins = plugins;
    this.kernelThreads = kernelThreads;
  }

  @Override
  public String key(VolumeSource source, String publicationId) {
    DockerVolume volume = source.getDocker();
    if (volume.getDriver().isEmpty() || volume.getName().isEmpty()) {
      throw new InvalidRequestException("the volume of a Docker plugin lacks a driver or a name");
    }
    return Keys.of("docker-" + volume.getDriver(), volume.getName());
  }

  @Override
  public Path publish(
      VolumeRecord volume, PublicationRecord publication, Path target, Operation operation)
      throws IOException {
    DockerVolume wanted = publication.getSource().getDocker();
    if (wanted.getCreate() || wanted.getOptionsCount() > 0) {
      create(wanted, operation);
    }
    String mountpoint = mount(wanted, publication.getId(), operation);
    if (!mountpoint.startsWith("/") || !Files.isDirectory(Path.of(mountpoint))) {
      throw new OperationFailedException(
          "Docker volume plugin %s: Mount of %s answered the mountpoint \"%s\", which is no folder"
              .formatted(wanted.getDriver(), wanted.getName(), mountpoint));
    }
    Files.createDirectories(target);
    if (!MountTable.read().isMounted(target)) {
      kernelThreads.run(() -> Mounts.bind(Path.of(mountpoint), target, true));
    }
    return target;
  }

  /** Where the plugin has mounted it. */
  private String mount(DockerVolume wanted, String id, Operation operation) throws IOException {
    String place =
        call(wanted, "Mount", Map.of("Name", wanted.getName(), "ID", id), operation)
            .path(DockerPlugins.MOUNTPOINT)
            .asText("");
    return !place.isEmpty()
        ? place
        : call(wanted, "Path", Map.of("Name", wanted.getName()), operation)
            .path(DockerPlugins.MOUNTPOINT)
            .asText("");
  }

  private void create(DockerVolume wanted, Operation operation) throws IOException {
    if (isKnown(wanted, operation)) {
      return;
    }
    call(
        wanted,
        "Create",
        Map.of("Name", wanted.getName(), "Opts", wanted.getOptionsMap()),
        operation);
  }

  private JsonNode call(
      DockerVolume volume, String method, Map<String, Object> request, Operation operation)
      throws IOException {
    // The options of Create reach the commands of the calls after it.
    Redaction redaction = Redaction.of(SecretOptions.values(volume.getOptionsMap()));
    return plugins.call(volume.getDriver(), method, request, redaction, operation);
  }

  private boolean isKnown(DockerVolume volume, Operation operation) throws IOException {
    try {
      return call(volume, "Get", Map.of("Name", volume.getName()), operation)
          .path("Volume")
          .isObject();
    } catch (OperationFailedException e) {
      return false;
    }
  }

  @Override
  public void unpublish(
      VolumeRecord volume, PublicationRecord publication, Path target, Operation operation)
      throws IOException {
    Targets.detach(target, kernelThreads);
    DockerVolume wanted = publication.getSource().getDocker();
    try {
      call(
          wanted,
          "Unmount",
          Map.of("Name", wanted.getName(), "ID", publication.getId()),
          operation);
    } catch (OperationFailedException e) {
      if (isKnown(wanted, operation)) {
        throw e;
      }
      LOG.atWarn()
          .addKeyValue("driver", wanted.getDriver())
          .addKeyValue("volume", wanted.getName())
          .log("a Docker volume plugin does not know a volume that was used here");
    }
  }
}
