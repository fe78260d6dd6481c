package io.keelson.sandbox.port;

import io.keelson.proto.cri.v1.ContainerConfig;
import java.nio.file.Path;

/**
 * What an {@link Isolator} may know of a container.
 *
 * @param id the container's id, 64 hexadecimal digits
 * @param pod the sandbox that it nests in
 * @param config as the caller gave it
 * @param image the image as resolved at creation
 * @param rootfs the mounted root file system
 * @param bundle the OCI bundle's folder
 * @param cgroup the container's cgroup: a path below each hierarchy ({@code /a/b}), or {@code
 *     slice:prefix:name} with the systemd driver
 */
public record ContainerContext(
    String id,
    PodContext pod,
    ContainerConfig config,
    ImageDescription image,
    Path rootfs,
    Path bundle,
    String cgroup) {}
