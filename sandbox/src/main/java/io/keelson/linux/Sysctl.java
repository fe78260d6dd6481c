package io.keelson.linux;

import static java.nio.file.StandardOpenOption.WRITE;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/**
 * Kernel parameters in the calling thread's namespaces: {@code /proc/sys} shows those of who opens.
 */
final class Sysctl {

  private static final Path ROOT = Path.of("/proc/sys");

  private Sysctl() {}

  /**
   * The value without the newline at its end.
   *
   * @throws IllegalArgumentException if it is no name of a parameter
   */
  public static String read(String name) throws IOException {
    // Not Files.readString: it begins with a read of one byte, after which the kernel says it is
    // all.
    try (InputStream in = new FileInputStream(file(name).toFile())) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
    }
  }

  /**
   * Sets a value.
   *
   * @throws IOException with name and value if there is no such parameter or it does not take the
   *     value
   * @throws IllegalArgumentException if it is no name of a parameter
   */
  public static void write(String name, String value) throws IOException {
    try {
      Files.write(file(name), value.getBytes(StandardCharsets.UTF_8), WRITE);
    } catch (IOException e) {
      throw new IOException("sysctl %s = \"%s\": %s".formatted(name, value, e.getMessage()), e);
    }
  }

  /**
   * @throws IllegalArgumentException if the parameter belongs to none of these namespaces
   */
  static void requireNamespaced(String name, Set<NamespaceType> types) {
    String path = ROOT.relativize(file(name)).toString();
    boolean inside =
        (types.contains(NamespaceType.NET) && path.startsWith("net/"))
            || (types.contains(NamespaceType.IPC) && isOfIpc(path))
            || (types.contains(NamespaceType.UTS) && isOfUts(path));
    if (!inside) {
      throw new IllegalArgumentException("sysctl %s is in none of %s".formatted(name, types));
    }
  }

  private static boolean isOfUts(String path) {
    return path.equals("kernel/domainname") || path.equals("kernel/hostname");
  }

  private static boolean isOfIpc(String path) {
    return path.startsWith("fs/mqueue/")
        || path.startsWith("kernel/shm")
        || path.startsWith("kernel/msg")
        || path.equals("kernel/sem");
  }

  /** The first separator tells which kind it is: {@code net/ipv4/conf/eth0.1/x} keeps its dots. */
  private static Path file(String name) {
    int dot = name.indexOf('.');
    int slash = name.indexOf('/');
    String relative = dot >= 0 && (slash < 0 || dot < slash) ? swap(name) : name;
    Path file = ROOT.resolve(relative).normalize();
    if (relative.isEmpty() || !file.startsWith(ROOT) || file.equals(ROOT)) {
      throw new IllegalArgumentException("no name of a sysctl: \"" + name + "\"");
    }
    return file;
  }

  private static String swap(String name) {
    StringBuilder result = new StringBuilder(name);
    for (int i = 0; i < result.length(); i++) {
      char c = result.charAt(i);
      result.setCharAt(i, c == '.' ? '/' : c == '/' ? '.' : c);
    }
    return result.toString();
  }
}
