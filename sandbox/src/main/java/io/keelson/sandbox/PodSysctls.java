package io.keelson.sandbox;

import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.sandbox.error.InvalidRequestException;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Which kernel settings a pod may have: those of the namespaces that are its own. */
final class PodSysctls {

  private static final Map<String, String> NETWORK_DEFAULTS =
      Map.of(
          "net.ipv4.ip_unprivileged_port_start", "0",
          "net.ipv4.ping_group_range", "0 2147483647");

  private static final Set<String> IPC =
      Set.of(
          "kernel.msgmax",
          "kernel.msgmnb",
          "kernel.msgmni",
          "kernel.sem",
          "kernel.shmall",
          "kernel.shmmax",
          "kernel.shmmni",
          "kernel.shm_rmid_forced");

  private static final Set<String> UTS = Set.of("kernel.domainname");

  private PodSysctls() {}

  /**
   * The settings of a pod, by name with dots: its own over the defaults.
   *
   * @throws InvalidRequestException for a setting of a namespace that is the host's, or of none
   */
  static Map<String, String> of(PodSandboxConfig config) {
    boolean hostNetwork = PodEntry.hostNetwork(config);
    Map<String, String> sysctls = new TreeMap<>();
    if (!hostNetwork) {
      sysctls.putAll(NETWORK_DEFAULTS);
    }
    config
        .getLinux()
        .getSysctlsMap()
        .forEach(
            (key, value) -> {
              String name = normalised(key);
              check(name, hostNetwork, PodEntry.hostIpc(config));
              sysctls.put(name, value);
            });
    return sysctls;
  }

  private static void check(String name, boolean hostNetwork, boolean hostIpc) {
    for (String part : name.split("\\.", -1)) {
      String file = part.replace('/', '.');
      if (file.isEmpty() || file.equals(".") || file.equals("..") || file.indexOf('\0') >= 0) {
        throw new InvalidRequestException(
            "sysctl \"" + name + "\" is not a name of a kernel setting");
      }
    }
    if (name.startsWith("net.")) {
      refuseIf(hostNetwork, name, "network");
    } else if (IPC.contains(name) || name.startsWith("fs.mqueue.")) {
      refuseIf(hostIpc, name, "ipc");
    } else if (UTS.contains(name)) {
      refuseIf(hostNetwork, name, "uts");
    } else {
      throw new InvalidRequestException(
          "sysctl \"" + name + "\" is not of a namespace and would change the whole host");
    }
  }

  private static void refuseIf(boolean hosts, String name, String namespace) {
    if (hosts) {
      throw new InvalidRequestException(
          "sysctl \""
              + name
              + "\" would change the host, whose "
              + namespace
              + " namespace the pod shares");
    }
  }

  /**
   * With dots between the parts. A name whose first separator is a slash has its dots as parts of
   * names (an interface called eth0.1), which then become slashes.
   */
  private static String normalised(String key) {
    int dot = key.indexOf('.');
    int slash = key.indexOf('/');
    if (slash < 0 || (dot >= 0 && dot < slash)) {
      return key;
    }
    StringBuilder swapped = new StringBuilder(key.length());
    for (int i = 0; i < key.length(); i++) {
      char c = key.charAt(i);
      swapped.append(c == '.' ? '/' : c == '/' ? '.' : c);
    }
    return swapped.toString();
  }
}
