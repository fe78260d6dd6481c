package io.keelson.sandbox.isolator;

import io.keelson.linux.NamespaceType;
import io.keelson.proto.cri.v1.NamespaceMode;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.spec.SpecMount;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The kernel's file systems that show a namespace of the host in a pod with a user namespace. The
 * kernel lets nobody mount those who is not root where the namespace belongs to, so that the host's
 * own mounts are bound instead.
 */
final class HostKernelMounts {

  private final boolean ownUsers;
  private final boolean hostPid;
  private final Map<NamespaceType, ?> ofPod;

  HostKernelMounts(ContainerContext container) {
    ofPod = container.pod().namespaces();
    ownUsers = ofPod.containsKey(NamespaceType.USER);
    hostPid =
        container.config().getLinux().getSecurityContext().getNamespaceOptions().getPid()
            == NamespaceMode.NODE;
  }

  SpecMount proc(SpecMount own) {
    return ownUsers && hostPid ? bound(own) : own;
  }

  SpecMount sysfs(SpecMount own) {
    return ofHost(NamespaceType.NET) ? bound(own) : own;
  }

  SpecMount mqueue(SpecMount own) {
    return ofHost(NamespaceType.IPC) ? bound(own) : own;
  }

  private boolean ofHost(NamespaceType type) {
    return ownUsers && !ofPod.containsKey(type);
  }

  /** With all that is mounted below: what lies under those mounts must not come to light. */
  private static SpecMount bound(SpecMount own) {
    List<String> options = new ArrayList<>(List.of("rbind", "rslave"));
    options.addAll(own.options());
    return new SpecMount(own.destination(), "bind", own.destination(), options);
  }
}
