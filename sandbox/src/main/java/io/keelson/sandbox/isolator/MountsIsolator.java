package io.keelson.sandbox.isolator;

import io.keelson.linux.MountInfo;
import io.keelson.linux.ProcessId;
import io.keelson.proto.cri.v1.Mount;
import io.keelson.proto.cri.v1.MountPropagation;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.UnsupportedException;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.ImageVolumes;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.spec.SpecBuilder;
import io.keelson.sandbox.spec.SpecMount;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The mounts of a container: the kernel's file systems, the pod's files, and what the caller wants,
 * whose mounts take the place of defaults. They are mounted in the order of their depth, so that
 * none covers another.
 *
 * <p>A source that does not exist is made as a folder with mode 0755: the CRI would have an error,
 * but workloads rely on what the field's runtimes do. Symbolic links in a source are followed on
 * the host.
 */
public final class MountsIsolator implements Isolator {

  private static final Set<String> MOUNT_OPTIONS = Set.of("noexec", "nodev", "nosuid");
  private static final String SHARED = "rshared";
  private static final String SLAVE = "rslave";
  private static final String PRIVATE = "rprivate";

  private final HostFeatures host;
  private final HostPaths hostPaths;
  private final DefaultMounts defaults;
  private final ImageMounts images;

  public MountsIsolator(HostFeatures host, HostPaths hostPaths, ImageVolumes volumes) {
    this.host = host;
    this.hostPaths = hostPaths;
    this.images = new ImageMounts(volumes);
    this.defaults = new DefaultMounts(host);
  }

  @Override
  public void prepare(ContainerContext container, SpecBuilder spec) throws IOException {
    List<Mount> wanted = container.config().getMountsList();
    wanted.forEach(this::validate);
    List<Mount> ofHost = wanted.stream().filter(mount -> !ImageMounts.isOne(mount)).toList();
    List<Source> sources =
        ofHost.isEmpty() ? List.of() : hostPaths.call(p -> resolve(container, ofHost, p));
    List<Mount> reported = new ArrayList<>();

    List<SpecMount> binds = new ArrayList<>();
    for (Source source : sources) {
      binds.add(bind(source, spec));
      reported.add(source.mount());
    }
    for (Mount mount : wanted) {
      if (ImageMounts.isOne(mount)) {
        ImageMounts.ImageMount made = images.make(container, mount, spec.mountLabel().orElse(""));
        binds.add(made.bind());
        reported.add(made.reported());
      }
    }
    Set<String> taken = binds.stream().map(SpecMount::destination).collect(Collectors.toSet());
    for (SpecMount mount : defaults.pod(container)) {
      if (!taken.contains(mount.destination())) {
        binds.add(mount);
      }
    }
    binds.sort(Comparator.comparingInt(mount -> Path.of(mount.destination()).getNameCount()));

    for (SpecMount mount : defaults.kernel(container)) {
      boolean ofTheirDev = taken.contains("/dev") && mount.destination().startsWith("/dev/");
      if (!taken.contains(mount.destination()) && !ofTheirDev) {
        spec.mount(mount);
      }
    }
    binds.forEach(spec::mount);
    spec.reportedMounts(reported);
  }

  @Override
  public void isolate(ContainerContext container, ProcessId init) throws IOException {
    IdMappedSources.drop(container);
  }

  @Override
  public void cleanup(ContainerContext container) throws IOException {
    IdMappedSources.drop(container);
  }

  /**
   * A mount with its host path resolved.
   *
   * @param path what is bound into the container
   */
  private record Source(Mount mount, Path path) {}

  private void validate(Mount mount) {
    String name = mount.getContainerPath();
    if (name.isEmpty()) {
      throw new InvalidRequestException(
          "a mount of %s has no container_path".formatted(mount.getHostPath()));
    }
    if (!name.startsWith("/")) {
      throw new InvalidRequestException(
          "container_path %s of a mount is not absolute".formatted(name));
    }
    if (ImageMounts.isOne(mount)) {
      ImageMounts.validate(mount);
    } else if (mount.getHostPath().isEmpty()) {
      throw new InvalidRequestException("mount %s has no host_path".formatted(name));
    }
    if (IdMappedSources.isWanted(mount)) {
      IdMappedSources.validate(mount);
    }
    for (String option : mount.getMountOptionsList()) {
      if (!MOUNT_OPTIONS.contains(option)) {
        throw new InvalidRequestException(
            "mount %s: option '%s' is none of %s"
                .formatted(name, option, MOUNT_OPTIONS.stream().sorted().toList()));
      }
    }
    if (mount.getRecursiveReadOnly()) {
      validateRecursiveReadOnly(mount);
    }
  }

  private void validateRecursiveReadOnly(Mount mount) {
    if (!mount.getReadonly()) {
      throw new InvalidRequestException(
          "mount %s: recursive_read_only needs readonly".formatted(mount.getContainerPath()));
    }
    if (mount.getPropagation() != MountPropagation.PROPAGATION_PRIVATE) {
      throw new InvalidRequestException(
          "mount %s: recursive_read_only needs private propagation, not %s"
              .formatted(mount.getContainerPath(), mount.getPropagation()));
    }
    if (!host.recursiveReadOnlyMounts()) {
      // The kubelet knows this failure by the first word (cri-api, pkg/errors).
      throw new UnsupportedException(
          "RROUnsupported: mount %s: recursive_read_only needs Linux 5.12"
              .formatted(mount.getContainerPath()));
    }
  }

  private static List<Source> resolve(
      ContainerContext container, List<Mount> mounts, HostPaths.Progress progress)
      throws IOException {
    List<Source> resolved = new ArrayList<>();
    for (Mount mount : mounts) {
      Path path = Path.of(mount.getHostPath());
      progress.touches(path);
      Path real = resolve(path);
      Mount found = mount.toBuilder().setHostPath(real.toString()).build();
      resolved.add(
          new Source(
              found,
              IdMappedSources.isWanted(found)
                  ? IdMappedSources.stage(container, found, resolved.size())
                  : real));
    }
    return resolved;
  }

  private static Path resolve(Path source) throws IOException {
    if (!source.isAbsolute()) {
      throw new InvalidRequestException(
          "host_path %s of a mount is not absolute".formatted(source));
    }
    try {
      return source.toRealPath();
    } catch (NoSuchFileException e) {
      return makeFolder(source);
    }
  }

  private static Path makeFolder(Path source) throws IOException {
    try {
      Files.createDirectories(
          source,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
    } catch (FileAlreadyExistsException e) {
      if (Files.isSymbolicLink(source) || !Files.isDirectory(source, LinkOption.NOFOLLOW_LINKS)) {
        throw new FailedPreconditionException(
            "host path %s leads through %s, which is no folder and leads nowhere"
                .formatted(source, e.getFile()),
            e);
      }
    }
    return source.toRealPath();
  }

  private static SpecMount bind(Source source, SpecBuilder spec) throws IOException {
    Mount mount = source.mount();
    List<String> options = new ArrayList<>(List.of("rbind", propagation(mount, spec)));
    if (mount.getReadonly()) {
      options.add(mount.getRecursiveReadOnly() ? "rro" : "ro");
    } else {
      options.add("rw");
    }
    options.addAll(mount.getMountOptionsList());
    String destination = Path.of("/", mount.getContainerPath()).normalize().toString();
    return new SpecMount(destination, "bind", source.path().toString(), options);
  }

  /** Events pass between host and container only if the container's root takes part in it. */
  private static String propagation(Mount mount, SpecBuilder spec) throws IOException {
    return switch (mount.getPropagation()) {
      case PROPAGATION_PRIVATE -> PRIVATE;
      case PROPAGATION_HOST_TO_CONTAINER -> {
        MountInfo source = mountOf(mount);
        if (!source.isShared() && !source.isSlave()) {
          throw refused(mount, source, "a shared or slave mount");
        }
        if (!SHARED.equals(spec.rootfsPropagation())) {
          spec.rootfsPropagation(SLAVE);
        }
        yield SLAVE;
      }
      case PROPAGATION_BIDIRECTIONAL -> {
        MountInfo source = mountOf(mount);
        if (!source.isShared()) {
          throw refused(mount, source, "a shared mount");
        }
        spec.rootfsPropagation(SHARED);
        yield SHARED;
      }
      case UNRECOGNIZED ->
          throw new InvalidRequestException(
              "mount %s: unknown propagation %d"
                  .formatted(mount.getContainerPath(), mount.getPropagationValue()));
    };
  }

  private static MountInfo mountOf(Mount mount) throws IOException {
    return MountInfo.containing(Path.of(mount.getHostPath()))
        .orElseThrow(
            () ->
                new FailedPreconditionException(
                    "host path %s is in no mount".formatted(mount.getHostPath())));
  }

  private static InvalidRequestException refused(Mount mount, MountInfo source, String needed) {
    return new InvalidRequestException(
        "mount %s: propagation %s needs %s, and host path %s is on %s, which is not"
            .formatted(
                mount.getContainerPath(),
                mount.getPropagation(),
                needed,
                mount.getHostPath(),
                source.mountPoint()));
  }
}
