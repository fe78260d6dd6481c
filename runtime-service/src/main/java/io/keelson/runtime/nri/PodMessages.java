package io.keelson.runtime.nri;

import io.keelson.linux.NamespaceType;
import io.keelson.proto.cri.v1.LinuxPodSandboxConfig;
import io.keelson.proto.cri.v1.PodSandboxMetadata;
import io.keelson.proto.nri.v1alpha1.LinuxNamespace;
import io.keelson.proto.nri.v1alpha1.LinuxPodSandbox;
import io.keelson.proto.nri.v1alpha1.PodSandbox;
import io.keelson.sandbox.port.PodContext;

/** Pods in the words of NRI. */
final class PodMessages {

  private PodMessages() {}

  static PodSandbox of(PodContext pod) {
    PodSandboxMetadata metadata = pod.config().getMetadata();
    LinuxPodSandboxConfig config = pod.config().getLinux();
    LinuxPodSandbox.Builder linux =
        LinuxPodSandbox.newBuilder()
            .setPodOverhead(Resources.ofCri(config.getOverhead()))
            .setPodResources(Resources.ofCri(config.getResources()))
            .setCgroupParent(config.getCgroupParent());
    pod.namespaces()
        .forEach(
            (type, path) ->
                linux.addNamespaces(
                    LinuxNamespace.newBuilder()
                        .setType(type == NamespaceType.NET ? "network" : type.procName())
                        .setPath(path.toString())));
    return PodSandbox.newBuilder()
        .setId(pod.id())
        .setName(metadata.getName())
        .setUid(metadata.getUid())
        .setNamespace(metadata.getNamespace())
        .putAllLabels(pod.config().getLabelsMap())
        .putAllAnnotations(pod.config().getAnnotationsMap())
        .setRuntimeHandler(pod.handler().name())
        .setLinux(linux)
        .addAllIps(pod.addresses())
        .build();
  }
}
