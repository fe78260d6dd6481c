package io.keelson.sandbox;

import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.linux.Mounts;
import io.keelson.linux.NamespaceType;
import io.keelson.linux.Namespaces;
import io.keelson.proto.cri.v1.DNSConfig;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.sandbox.port.PodContext;
import io.keelson.sandbox.port.PodUserNamespace;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The files that all containers of a pod share: {@code /etc/hosts}, {@code /etc/hostname}, {@code
 * /etc/resolv.conf}, written once per pod, and the tmpfs of {@code /dev/shm}.
 */
final class PodFiles {

  private static final String SHM_OPTIONS = "mode=1777,size=67108864";
  private static final Path HOST_HOSTS = Path.of("/etc/hosts");
  private static final Path HOST_RESOLV_CONF = Path.of("/etc/resolv.conf");
  private static final String MINIMAL_HOSTS =
      """
      127.0.0.1 localhost
      ::1 localhost ip6-localhost ip6-loopback
      """;

  private PodFiles() {}

  /** Makes the files and mounts the shared memory. */
  static void create(PodContext pod, String hostname) throws IOException {
    Files.createDirectories(pod.stateDirectory());
    Files.writeString(pod.hostname(), hostname + "\n");
    Files.write(pod.hosts(), hostFile(HOST_HOSTS, MINIMAL_HOSTS));
    Files.write(pod.resolvConf(), resolvConf(pod.config()));
    Optional<PodUserNamespace> user = pod.userNamespace();
    if (user.isPresent()) {
      for (Path file : List.of(pod.hostname(), pod.hosts(), pod.resolvConf())) {
        giveTo(user.get(), file);
      }
    }
    if (!PodEntry.hostIpc(pod.config())) {
      Files.createDirectories(pod.shm());
      Mounts.mount(
          "shm",
          pod.shm(),
          "tmpfs",
          Mounts.MS_NOSUID | Mounts.MS_NODEV | Mounts.MS_NOEXEC,
          user.map(PodFiles::ownedShmOptions).orElse(SHM_OPTIONS));
    }
  }

  private static String ownedShmOptions(PodUserNamespace user) {
    return "%s,uid=%d,gid=%d".formatted(SHM_OPTIONS, user.rootUid(), user.rootGid());
  }

  /** Root of the pod's user namespace may write them, as root of any other pod. */
  private static void giveTo(PodUserNamespace user, Path file) throws IOException {
    // The view takes ids as Integer: those above 2^31 as negative ones.
    Files.setAttribute(file, "unix:uid", (int) user.rootUid());
    Files.setAttribute(file, "unix:gid", (int) user.rootGid());
  }

  /** Unmounts and deletes everything. Harmless if there is nothing. */
  static void delete(Path stateDirectory) throws IOException {
    try {
      Mounts.detach(stateDirectory.resolve("shm"));
    } catch (ErrnoException e) {
      if (!e.is(Errno.ENOENT) && !e.is(Errno.EINVAL)) {
        throw e;
      }
    }
    FileTrees.delete(stateDirectory);
  }

  /** The pod's host name: as asked for, else the host's. */
  static String hostname(PodSandboxConfig config) throws IOException {
    if (!config.getHostname().isEmpty() && !PodEntry.hostNetwork(config)) {
      return config.getHostname();
    }
    return Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
  }

  /** Gives the pod its host name again, after CRIU has restored that of another. */
  static void setHostname(PodContext pod) throws IOException {
    Path uts = pod.namespaces().get(NamespaceType.UTS);
    if (uts != null) {
      Namespaces.setHostname(uts, hostname(pod.config()));
    }
  }

  private static byte[] resolvConf(PodSandboxConfig config) throws IOException {
    if (!config.hasDnsConfig()) {
      return hostFile(HOST_RESOLV_CONF, "");
    }
    DNSConfig dns = config.getDnsConfig();
    StringBuilder text = new StringBuilder();
    line(text, "search", dns.getSearchesList());
    for (String server : dns.getServersList()) {
      text.append("nameserver ").append(server).append('\n');
    }
    line(text, "options", dns.getOptionsList());
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static void line(StringBuilder text, String keyword, List<String> values) {
    if (!values.isEmpty()) {
      text.append(keyword).append(' ').append(String.join(" ", values)).append('\n');
    }
  }

  private static byte[] hostFile(Path file, String otherwise) throws IOException {
    try {
      return Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      return otherwise.getBytes(StandardCharsets.UTF_8);
    }
  }
}
