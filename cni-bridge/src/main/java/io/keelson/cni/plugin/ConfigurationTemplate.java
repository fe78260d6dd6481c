package io.keelson.cni.plugin;

import io.keelson.linux.AtomicFile;
import io.keelson.linux.netlink.IpPrefix;
import io.keelson.sandbox.error.FailedPreconditionException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Makes the CNI configuration of a node from a template and the addresses that the cluster assigns
 * to its pods. In the template stand {@code {{.PodCIDR}}} for the first subnet, {@code
 * {{.PodCIDRRanges}}} for the {@code ranges} of host-local and {@code {{.Routes}}} for a default
 * route of each family.
 */
public final class ConfigurationTemplate {

  /** Of the file that is made; others sort before and behind it. */
  static final String FILE = "10-keelson.conflist";

  private final Path template;
  private final Path folder;

  /**
   * @param folder where CNI configurations are looked for
   */
  public ConfigurationTemplate(Path template, Path folder) {
    this.template = template;
    this.folder = folder;
  }

  /**
   * Writes the configuration; one that is as it should be is left alone.
   *
   * @throws FailedPreconditionException if the template can't be read or has other placeholders
   */
  public void write(List<IpPrefix> subnets) throws IOException {
    byte[] text = fill(read(), subnets).getBytes(StandardCharsets.UTF_8);
    Path file = Files.createDirectories(folder).resolve(FILE);
    if (!Files.exists(file) || !Arrays.equals(Files.readAllBytes(file), text)) {
      AtomicFile.write(file, text, true);
    }
  }

  private String read() {
    try {
      return Files.readString(template);
    } catch (IOException e) {
      throw new FailedPreconditionException(
          "the CNI template " + template + " can't be read: " + e.getMessage(), e);
    }
  }

  private String fill(String text, List<IpPrefix> subnets) {
    String ranges =
        subnets.stream()
            .map(subnet -> "[{\"subnet\": \"" + subnet + "\"}]")
            .collect(Collectors.joining(", ", "[", "]"));
    String routes =
        subnets.stream()
            .map(subnet -> subnet.isIpv4() ? "0.0.0.0/0" : "::/0")
            .distinct()
            .map(route -> "{\"dst\": \"" + route + "\"}")
            .collect(Collectors.joining(", ", "[", "]"));
    String filled =
        text.replace("{{.PodCIDR}}", subnets.getFirst().toString())
            .replace("{{.PodCIDRRanges}}", ranges)
            .replace("{{.Routes}}", routes);
    int other = filled.indexOf("{{");
    if (other >= 0) {
      throw new FailedPreconditionException(
          "the CNI template %s has a placeholder that is not known: %s"
              .formatted(template, filled.substring(other, Math.min(filled.length(), other + 40))));
    }
    return filled;
  }
}
