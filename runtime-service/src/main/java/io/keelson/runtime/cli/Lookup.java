package io.keelson.runtime.cli;

import io.keelson.proto.cri.v1.Container;
import io.keelson.proto.cri.v1.ContainerFilter;
import io.keelson.proto.cri.v1.ListContainersRequest;
import io.keelson.proto.cri.v1.ListPodSandboxRequest;
import io.keelson.proto.cri.v1.PodSandbox;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * Finds pods and containers by what people call them: a name ({@code web}; {@code namespace/pod} or
 * {@code pod/container} to be exact), an id, or the beginning of one. A name wins over the
 * beginning of an id.
 */
final class Lookup {

  private final CriClient daemon;

  Lookup(CriClient daemon) {
    this.daemon = daemon;
  }

  /** A pod or a container. */
  sealed interface Target {
    record OfPod(PodSandbox pod) implements Target {}

    record OfContainer(Container container) implements Target {}
  }

  /**
   * The pod or the container of this name. A pod wins over a container in it that has the same
   * name, as {@code keelson run} makes them.
   */
  Target target(String name) {
    Optional<PodSandbox> pod = findPod(name);
    Optional<Container> container = findContainer(name);
    if (pod.isPresent() && container.isPresent()) {
      if (!container.get().getPodSandboxId().equals(pod.get().getId())) {
        throw CommandException.usage(
            "\""
                + name
                + "\" is pod "
                + Units.shortId(pod.get().getId())
                + " and container "
                + Units.shortId(container.get().getId())
                + "; say which by its id");
      }
      return new Target.OfPod(pod.get());
    }
    if (pod.isPresent()) {
      return new Target.OfPod(pod.get());
    }
    return new Target.OfContainer(
        container.orElseThrow(
            () ->
                CommandException.notFound(
                    "no pod and no container is called \""
                        + name
                        + "\"; \"keelson pods\" and \"keelson ps -a\" list them")));
  }

  /** The container of this name, or the only container of the pod of this name. */
  Container container(String name) {
    Optional<Container> found = findContainer(name);
    if (found.isPresent()) {
      return found.get();
    }
    List<Container> inPod = findPod(name).map(pod -> containersOf(pod.getId())).orElse(List.of());
    if (inPod.size() == 1) {
      return inPod.getFirst();
    }
    throw inPod.isEmpty()
        ? CommandException.notFound(
            "no container is called \"" + name + "\"; \"keelson ps -a\" lists them")
        : CommandException.usage(
            "pod \""
                + name
                + "\" has several containers; name one: "
                + inPod.stream().map(Lookup::nameOf).collect(Collectors.joining(", ")));
  }

  Optional<PodSandbox> findPod(String name) {
    List<PodSandbox> pods =
        daemon.runtime().listPodSandbox(ListPodSandboxRequest.getDefaultInstance()).getItemsList();
    return find(
        name,
        pods,
        p ->
            nameOf(p).equals(name)
                || (p.getMetadata().getNamespace() + "/" + nameOf(p)).equals(name),
        PodSandbox::getId,
        "pod",
        p -> p.getMetadata().getNamespace() + "/" + nameOf(p) + "/" + p.getMetadata().getUid(),
        Comparator.comparingLong(PodSandbox::getCreatedAt));
  }

  Optional<Container> findContainer(String name) {
    List<Container> containers =
        daemon
            .runtime()
            .listContainers(ListContainersRequest.getDefaultInstance())
            .getContainersList();
    Function<Container, String> podName = name.contains("/") ? podNames() : _ -> "";
    return find(
        name,
        containers,
        c -> nameOf(c).equals(name) || (podName.apply(c) + "/" + nameOf(c)).equals(name),
        Container::getId,
        "container",
        c -> c.getPodSandboxId() + "/" + nameOf(c),
        Comparator.comparingLong(Container::getCreatedAt));
  }

  List<Container> containersOf(String podId) {
    return daemon
        .runtime()
        .listContainers(
            ListContainersRequest.newBuilder()
                .setFilter(ContainerFilter.newBuilder().setPodSandboxId(podId))
                .build())
        .getContainersList();
  }

  static String nameOf(PodSandbox pod) {
    return pod.getMetadata().getName();
  }

  static String nameOf(Container container) {
    return container.getMetadata().getName();
  }

  private Function<Container, String> podNames() {
    var names =
        daemon
            .runtime()
            .listPodSandbox(ListPodSandboxRequest.getDefaultInstance())
            .getItemsList()
            .stream()
            .collect(Collectors.toMap(PodSandbox::getId, Lookup::nameOf));
    return container -> names.getOrDefault(container.getPodSandboxId(), "");
  }

  /**
   * @param identity what attempts of one and the same thing share; the newest of them is meant
   */
  private static <T> Optional<T> find(
      String name,
      List<T> all,
      Predicate<T> isCalled,
      Function<T, String> id,
      String kind,
      Function<T, String> identity,
      Comparator<T> age) {
    List<T> found = all.stream().filter(isCalled).toList();
    if (found.isEmpty() && !name.isEmpty()) {
      found = all.stream().filter(t -> id.apply(t).startsWith(name)).toList();
    }
    if (found.stream().map(identity).distinct().count() > 1) {
      throw CommandException.usage(
          "\""
              + name
              + "\" fits several "
              + kind
              + "s; name one by its id: "
              + found.stream().map(id).map(Units::shortId).collect(Collectors.joining(", ")));
    }
    return found.stream().max(age);
  }
}
