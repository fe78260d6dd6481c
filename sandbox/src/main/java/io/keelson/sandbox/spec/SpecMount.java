package io.keelson.sandbox.spec;

import java.util.List;

/**
 * One mount of a container (OCI runtime spec, {@code mounts}).
 *
 * @param destination absolute path in the container
 * @param type the file system, or {@code bind}
 * @param source path on the host, or a name for file systems that have no source
 * @param options as mount(8) knows them, such as {@code rbind}, {@code ro}, {@code size=65536k}
 */
public record SpecMount(String destination, String type, String source, List<String> options) {

  public SpecMount {
    options = List.copyOf(options);
  }

  public boolean isBind() {
    return type.equals("bind");
  }

  public static SpecMount bind(String destination, String source, String... options) {
    return new SpecMount(destination, "bind", source, List.of(options));
  }
}
