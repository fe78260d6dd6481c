package io.keelson.csi.quota;

import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.spec.SpecBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.OptionalLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Limits what a container may write into its root file system: by an annotation of the container or
 * the pod, else by the configuration. A container without a limit costs nothing.
 */
public final class WritableLayerIsolator implements Isolator {

  /** The annotation: bytes; {@code 0} for no limit. */
  public static final String ANNOTATION = "quota.keelson.io/writable-layer-bytes";

  private static final Logger LOG = LoggerFactory.getLogger(WritableLayerIsolator.class);

  private final NodeQuotas quotas;
  private final long defaultBytes;

  /**
   * @param defaultBytes for containers that say nothing; 0 for no limit
   */
  public WritableLayerIsolator(NodeQuotas quotas, long defaultBytes) {
    this.quotas = quotas;
    this.defaultBytes = defaultBytes;
  }

  @Override
  public void prepare(ContainerContext container, SpecBuilder spec) throws IOException {
    limit(container);
  }

  private void limit(ContainerContext container) throws IOException {
    long bytes = asked(container).orElse(defaultBytes);
    if (bytes == 0) {
      return;
    }
    quotas.limit(container.id(), layer(container), bytes);
  }

  private static OptionalLong asked(ContainerContext container) {
    String text = container.config().getAnnotationsMap().get(ANNOTATION);
    if (text == null) {
      text = container.pod().config().getAnnotationsMap().get(ANNOTATION);
    }
    if (text == null) {
      return OptionalLong.empty();
    }
    if (!text.matches("[0-9]{1,18}")) {
      throw new InvalidRequestException(
          "annotation " + ANNOTATION + ": \"" + text + "\" is no number of bytes");
    }
    return OptionalLong.of(Long.parseLong(text));
  }

  /**
   * Where what the container writes is kept: beside its root file system, with the folder that the
   * kernel works in, or in the root itself if that is a copy.
   */
  private static List<Path> layer(ContainerContext container) {
    Path upper = container.rootfs().resolveSibling("upper");
    return Files.isDirectory(upper)
        ? List.of(upper, container.rootfs().resolveSibling("work"))
        : List.of(container.rootfs());
  }

  @Override
  public void recover(Collection<ContainerContext> known) {
    for (ContainerContext container : known) {
      try {
        limit(container);
      } catch (IOException | InvalidRequestException e) {
        LOG.atError()
            .setCause(e)
            .addKeyValue("container", container.id())
            .log("a container's writable layer is not limited as it was before the daemon's start");
      }
    }
  }

  @Override
  public void cleanup(ContainerContext container) throws IOException {
    quotas.release(container.id(), layer(container).getFirst());
  }
}
