package io.keelson.runtime.cli;

import io.grpc.StatusRuntimeException;
import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.CreateContainerRequest;
import io.keelson.proto.cri.v1.ImageSpec;
import io.keelson.proto.cri.v1.ImageStatusRequest;
import io.keelson.proto.cri.v1.ImageStatusResponse;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.RunPodSandboxRequest;
import io.keelson.proto.cri.v1.StartContainerRequest;
import io.keelson.proto.node.v1.PullImageRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code keelson run}: a pod with one container of the same name. */
@Command(
    name = "run",
    description = {
      "Runs a pod with one container and shows what it writes until it has ended, or with -d leaves"
          + " it in the background.",
      "The exit code is the container's; 125 if it could not be run."
    })
final class RunCommand extends ClientCommand implements RunsWorkload {

  enum Pull {
    missing,
    always,
    never
  }

  @Option(names = "--name", description = "Of pod and container. Default: made from the image's.")
  private @Nullable String name;

  @Option(
      names = {"-d", "--detach"},
      description = "Print the container's id and return.")
  private boolean detach;

  @Option(names = "--rm", description = "Remove the pod when the container has ended.")
  private boolean remove;

  @Option(names = "--pull", description = "missing, always or never. Default: missing.")
  private Pull pull = Pull.missing;

  @Mixin private final LoginFlags login = new LoginFlags();
  @Mixin private final PodFlags podFlags = new PodFlags();
  @Mixin private final ContainerFlags containerFlags = new ContainerFlags();

  @Parameters(
      index = "0",
      paramLabel = "IMAGE",
      description = "A name, an id or the beginning of an id.")
  private String image = "";

  @Parameters(
      index = "1..*",
      paramLabel = "ARGUMENT",
      description = "Instead of the image's command.")
  private List<String> arguments = List.of();

  RunCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int run(CriClient daemon) throws IOException, InterruptedException {
    if (detach && remove) {
      throw CommandException.usage("--rm needs someone who waits for the end; leave out --detach");
    }
    String runName = name == null ? defaultName(image) : checked(name);
    requireFree(runName, daemon);
    String imageId = imageId(daemon);
    PodSandboxConfig pod = podFlags.config(runName, containerFlags.isPrivileged());
    ContainerConfig container =
        containerFlags.config(runName, imageId, image, arguments, podFlags.namespaces());
    String podId =
        daemon
            .runtime()
            .runPodSandbox(
                RunPodSandboxRequest.newBuilder()
                    .setConfig(pod)
                    .setRuntimeHandler(podFlags.runtime())
                    .build())
            .getPodSandboxId();
    String containerId;
    try {
      containerId = start(container, podId, pod, daemon);
    } catch (StatusRuntimeException e) {
      removePod(daemon, podId, pod); // nothing of a run that failed is left
      throw e;
    }
    if (detach) {
      terminal().out().println(containerId);
      return ExitCode.OK;
    }
    return new Foreground(daemon, terminal(), containerId)
        .attend(
            () -> {
              if (remove) {
                removePod(daemon, podId, pod);
              }
            });
  }

  private static void requireFree(String name, CriClient daemon) throws IOException {
    if (new Lookup(daemon)
        .findPod(name)
        .filter(pod -> Lookup.nameOf(pod).equals(name))
        .isPresent()) {
      throw CommandException.failed(
          "there is a pod \"%s\" already; remove it (keelson rm %s) or choose another --name"
              .formatted(name, name));
    }
  }

  private static String start(
      ContainerConfig container, String podId, PodSandboxConfig pod, CriClient daemon) {
    CreateContainerRequest create =
        CreateContainerRequest.newBuilder()
            .setPodSandboxId(podId)
            .setConfig(container)
            .setSandboxConfig(pod)
            .build();
    String id = daemon.runtime().createContainer(create).getContainerId();
    daemon.runtime().startContainer(StartContainerRequest.newBuilder().setContainerId(id).build());
    return id;
  }

  private static void removePod(CriClient daemon, String podId, PodSandboxConfig pod)
      throws IOException {
    RunPod.remove(daemon, podId);
    RunPod.deleteLogs(Path.of(pod.getLogDirectory()));
  }

  private String imageId(CriClient daemon) throws IOException {
    ImageSpec spec = ImageSpec.newBuilder().setImage(image).build();
    if (pull != Pull.always) {
      ImageStatusResponse status =
          daemon.images().imageStatus(ImageStatusRequest.newBuilder().setImage(spec).build());
      if (status.hasImage()) {
        return status.getImage().getId();
      }
      if (pull == Pull.never) {
        throw CommandException.notFound(
            "image \"" + image + "\" is not here, and --pull never forbids to pull it");
      }
    }
    ProgressView view = new ProgressView(terminal(), "pulling " + image);
    PullImageRequest request =
        PullImageRequest.newBuilder().setImage(spec).setAuth(login.of(image)).build();
    return view.show(daemon.node().pullImage(request)).getFirst();
  }

  private static String checked(String name) {
    if (!name.matches("[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?")) {
      throw CommandException.usage(
          "\"" + name + "\" can't be a name: small letters, digits, hyphens and dots, 63 at most");
    }
    return name;
  }

  /** {@code registry:5000/team/Web_app:1.2} gives {@code web-app-3f2a}. */
  static String defaultName(String image) {
    String last = image.substring(image.lastIndexOf('/') + 1).split("[:@]", 2)[0];
    String plain =
        last.toLowerCase(java.util.Locale.ROOT)
            .replaceAll("[^a-z0-9]+", "-")
            .replaceAll("^-|-$", "");
    String base = plain.isEmpty() ? "pod" : plain.substring(0, Math.min(40, plain.length()));
    int random = ThreadLocalRandom.current().nextInt(1 << 16);
    return base + "-" + HexFormat.of().toHexDigits((short) random);
  }
}
