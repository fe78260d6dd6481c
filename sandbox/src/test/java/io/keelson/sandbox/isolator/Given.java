package io.keelson.sandbox.isolator;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.keelson.linux.NamespaceType;
import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.ContainerMetadata;
import io.keelson.proto.cri.v1.LinuxContainerSecurityContext;
import io.keelson.proto.cri.v1.LinuxPodSandboxConfig;
import io.keelson.proto.cri.v1.LinuxSandboxSecurityContext;
import io.keelson.proto.cri.v1.NamespaceOption;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.PodSandboxMetadata;
import io.keelson.sandbox.isolator.HostFeatures.KernelVersion;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.ImageDescription;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.port.PodContext;
import io.keelson.sandbox.port.RuntimeHandler;
import io.keelson.sandbox.spec.SpecBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Consumer;

/** A container in a pod, to be changed by a test before isolators see it. */
final class Given {

  static final ImageDescription IMAGE =
      new ImageDescription(
          "sha256:cafe",
          List.of(),
          List.of(),
          1,
          "",
          List.of("PATH=/image", "FROM=image"),
          List.of("/entry"),
          List.of("cmd"),
          "/srv",
          "",
          Map.of(),
          List.of());

  final ContainerConfig.Builder config =
      ContainerConfig.newBuilder().setMetadata(ContainerMetadata.newBuilder().setName("app"));
  final PodSandboxConfig.Builder podConfig =
      PodSandboxConfig.newBuilder()
          .setMetadata(
              PodSandboxMetadata.newBuilder().setName("pod").setNamespace("default").setUid("u1"))
          .setHostname("pod-host");
  final Map<NamespaceType, Path> namespaces = new EnumMap<>(NamespaceType.class);
  final Path root;
  ImageDescription image = IMAGE;
  String cgroup = "/pods/pod/app";

  Given(Path root) {
    this.root = root;
    try {
      Files.createDirectories(rootfs().resolve("etc"));
      Files.createDirectories(root.resolve("pod"));
      Files.createDirectories(root.resolve("bundle"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Path rootfs() {
    return root.resolve("rootfs");
  }

  Path podDirectory() {
    return root.resolve("pod");
  }

  Given file(String path, String content) throws IOException {
    Files.writeString(rootfs().resolve(path), content);
    return this;
  }

  Given security(Consumer<LinuxContainerSecurityContext.Builder> change) {
    change.accept(config.getLinuxBuilder().getSecurityContextBuilder());
    return this;
  }

  Given podOptions(NamespaceOption options) {
    podConfig.setLinux(
        LinuxPodSandboxConfig.newBuilder()
            .setSecurityContext(
                LinuxSandboxSecurityContext.newBuilder().setNamespaceOptions(options)));
    return this;
  }

  Given image(String user, List<String> entrypoint, List<String> command) {
    image =
        new ImageDescription(
            IMAGE.id(),
            List.of(),
            List.of(),
            1,
            user,
            IMAGE.env(),
            entrypoint,
            command,
            IMAGE.workingDirectory(),
            "",
            Map.of(),
            List.of());
    return this;
  }

  Given privileged() {
    podConfig.getLinuxBuilder().getSecurityContextBuilder().setPrivileged(true);
    return security(security -> security.setPrivileged(true));
  }

  ContainerContext context() {
    PodContext pod =
        new PodContext(
            "5a".repeat(32),
            podConfig.build(),
            new RuntimeHandler("crun", Path.of("/usr/bin/crun"), root.resolve("crun"), false),
            podDirectory(),
            namespaces,
            List.of());
    return new ContainerContext(
        "c0".repeat(32), pod, config.build(), image, rootfs(), root.resolve("bundle"), cgroup);
  }

  SpecBuilder prepared(Isolator... isolators) throws IOException {
    SpecBuilder spec = new SpecBuilder();
    for (Isolator isolator : isolators) {
      isolator.prepare(context(), spec);
    }
    return spec;
  }

  static JsonNode json(SpecBuilder spec) throws IOException {
    return new ObjectMapper().readTree(spec.toJson());
  }

  /** A host of cgroup v2 with everything there, and a daemon with these capabilities. */
  static HostFeatures host(String... capabilities) {
    SortedSet<String> all = new TreeSet<>();
    if (capabilities.length == 0) {
      for (KernelCapability capability : KernelCapability.values()) {
        all.add(capability.ociName());
      }
    }
    all.addAll(List.of(capabilities));
    return new HostFeatures(
        true,
        true,
        true,
        List.of("nsdelegate"),
        all,
        -1000,
        true,
        false,
        Optional.empty(),
        false,
        true,
        new KernelVersion(6, 18),
        "amd64");
  }
}
