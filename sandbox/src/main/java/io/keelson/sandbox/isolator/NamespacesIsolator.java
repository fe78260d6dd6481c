package io.keelson.sandbox.isolator;

import io.keelson.linux.IdMapping;
import io.keelson.linux.NamespaceType;
import io.keelson.proto.cri.v1.LinuxContainerSecurityContext;
import io.keelson.proto.cri.v1.NamespaceMode;
import io.keelson.proto.cri.v1.NamespaceOption;
import io.keelson.proto.cri.v1.UserNamespace;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.port.PodContext;
import io.keelson.sandbox.port.PodUserNamespace;
import io.keelson.sandbox.spec.SpecBuilder;
import io.keelson.sandbox.spec.SpecIdMapping;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Nests a container in the namespaces of its pod: network, ipc and uts are always the pod's; the
 * mount namespace is always its own; user is the pod's or the host's; pid as asked for; cgroup its
 * own on cgroup v2 unless privileged.
 *
 * <p>A container that asks for a shared PID namespace (the default of the CRI's enum) in a pod that
 * was made without one gets its own: a caller that left the option out of the container's config
 * alone means no other.
 */
public final class NamespacesIsolator implements Isolator {

  private final HostFeatures host;
  private final PidTargets targets;

  public NamespacesIsolator(HostFeatures host, PidTargets targets) {
    this.host = host;
    this.targets = targets;
  }

  @Override
  public void prepare(ContainerContext container, SpecBuilder spec) {
    LinuxContainerSecurityContext security = container.config().getLinux().getSecurityContext();
    NamespaceOption wanted = security.getNamespaceOptions();
    PodContext pod = container.pod();
    NamespaceOption podOptions = pod.config().getLinux().getSecurityContext().getNamespaceOptions();
    requireHostOfPod("network", wanted.getNetwork(), podOptions.getNetwork());
    requireHostOfPod("ipc", wanted.getIpc(), podOptions.getIpc());
    requireHostOfPod("pid", wanted.getPid(), podOptions.getPid());
    joinUser(pod, wanted, spec);

    spec.newNamespace(NamespaceType.MOUNT);
    joinPod(pod, NamespaceType.NET, spec);
    joinPod(pod, NamespaceType.IPC, spec);
    joinPod(pod, NamespaceType.UTS, spec);
    preparePid(container, wanted, podOptions, spec);
    if (host.unifiedCgroups() && !security.getPrivileged()) {
      spec.newNamespace(NamespaceType.CGROUP);
    }
  }

  private static void joinPod(PodContext pod, NamespaceType type, SpecBuilder spec) {
    Path pinned = pod.namespaces().get(type);
    if (pinned == null) {
      spec.hostNamespace(type);
    } else {
      spec.joinNamespace(type, pinned);
    }
  }

  private void preparePid(
      ContainerContext container,
      NamespaceOption wanted,
      NamespaceOption podOptions,
      SpecBuilder spec) {
    switch (wanted.getPid()) {
      case CONTAINER -> spec.newNamespace(NamespaceType.PID);
      case NODE -> spec.hostNamespace(NamespaceType.PID);
      case POD -> {
        if (container.pod().namespaces().containsKey(NamespaceType.PID)
            || podOptions.getPid() == NamespaceMode.NODE) {
          joinPod(container.pod(), NamespaceType.PID, spec);
        } else {
          spec.newNamespace(NamespaceType.PID);
        }
      }
      case TARGET -> spec.joinNamespace(NamespaceType.PID, target(container, wanted.getTargetId()));
      case UNRECOGNIZED ->
          throw new InvalidRequestException(
              "unknown mode of the pid namespace " + wanted.getPidValue());
    }
  }

  private Path target(ContainerContext container, String targetId) {
    if (targetId.isEmpty()) {
      throw new InvalidRequestException("namespace mode TARGET for pid needs a target_id");
    }
    OptionalInt init = targets.init(container.pod().id(), targetId);
    if (init.isEmpty()) {
      throw new FailedPreconditionException(
          "target container %s does not run in sandbox %s: its PID namespace can't be joined"
              .formatted(targetId, container.pod().id()));
    }
    return Path.of("/proc/" + init.getAsInt() + "/ns/pid");
  }

  /** The host's namespace is for pods that have it; a container can't leave its pod's. */
  private static void requireHostOfPod(String name, NamespaceMode wanted, NamespaceMode ofPod) {
    if (wanted == NamespaceMode.NODE && ofPod != NamespaceMode.NODE) {
      throw new InvalidRequestException(
          "a container can't have the host's %s namespace in a pod that has not (pod: %s)"
              .formatted(name, ofPod));
    }
  }

  /** The OCI spec has the ranges beside the namespace's path, for runtimes that look at them. */
  private static void joinUser(PodContext pod, NamespaceOption wanted, SpecBuilder spec) {
    NamespaceOption ofPod = pod.config().getLinux().getSecurityContext().getNamespaceOptions();
    if (wanted.hasUsernsOptions() && !userOptions(wanted).equals(userOptions(ofPod))) {
      throw new InvalidRequestException(
          "a container can't have another user namespace than its pod (pod: %s, container: %s)"
              .formatted(described(ofPod), described(wanted)));
    }
    Optional<PodUserNamespace> user = pod.userNamespace();
    if (user.isPresent()) {
      spec.joinNamespace(NamespaceType.USER, user.get().file())
          .idMappings(range(user.get().uids()), range(user.get().gids()));
    }
  }

  /** No options at all say what a mode of NODE says. */
  private static UserNamespace userOptions(NamespaceOption options) {
    return options.hasUsernsOptions()
        ? options.getUsernsOptions()
        : UserNamespace.newBuilder().setMode(NamespaceMode.NODE).build();
  }

  private static String described(NamespaceOption options) {
    return options.hasUsernsOptions()
        ? options.getUsernsOptions().toString().replace('\n', ' ').strip()
        : "the host's";
  }

  private static List<SpecIdMapping> range(IdMapping mapping) {
    return List.of(new SpecIdMapping(mapping.inside(), mapping.outside(), mapping.length()));
  }
}
