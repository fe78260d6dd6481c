package io.keelson.integration.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * Podman, a process for each pull. What it pulls with are the libraries of CRI-O, which Debian has
 * no package of.
 */
final class Podman implements Puller {

  /** What it notes of blobs has one place for all of a host; it shall know none at the start. */
  private static final String ALONE =
      "mkdir -p /var/lib/containers && mount -t tmpfs none /var/lib/containers && exec \"$0\""
          + " \"$@\"";

  private final String program;
  private final Path folder;

  Podman(String program, Path folder) throws IOException {
    this.program = program;
    this.folder = Files.createDirectories(folder);
    Files.writeString(policy(), "{\"default\":[{\"type\":\"insecureAcceptAnything\"}]}");
    Files.writeString(registries(), "unqualified-search-registries = []\n");
    // Locks in files: those in shared memory would be the host's.
    Files.writeString(
        settings(),
        """
        [engine]
        lock_type = "file"
        events_logger = "none"
        cgroup_manager = "cgroupfs"
        """);
  }

  private Path policy() {
    return folder.resolve("policy.json");
  }

  private Path registries() {
    return folder.resolve("registries.conf");
  }

  private Path settings() {
    return folder.resolve("containers.conf");
  }

  @Override
  public String name() {
    return "podman";
  }

  @Override
  public OptionalLong pid() {
    return OptionalLong.empty();
  }

  @Override
  public void pull(String image) throws IOException {
    podman(
        "pull",
        "--quiet",
        "--tls-verify=false",
        "--signature-policy=" + policy(),
        "docker://" + image);
  }

  @Override
  public void remove(String image) throws IOException {
    podman("rmi", "--ignore", "--force", image);
  }

  private void podman(String... words) throws IOException {
    List<String> command = new ArrayList<>(List.of("unshare", "--mount", "sh", "-c", ALONE));
    command.add(program);
    command.add("--root=" + folder.resolve("root"));
    command.add("--runroot=" + folder.resolve("run"));
    command.add("--tmpdir=" + folder.resolve("tmp"));
    command.add("--storage-driver=overlay");
    command.addAll(List.of(words));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("CONTAINERS_CONF", settings().toString());
    builder.environment().put("CONTAINERS_REGISTRIES_CONF", registries().toString());
    Process process = builder.start();
    process.getOutputStream().close();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      if (process.waitFor() != 0) {
        throw new IOException(String.join(" ", command) + ": " + said);
      }
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  @Override
  public void close() {}
}
