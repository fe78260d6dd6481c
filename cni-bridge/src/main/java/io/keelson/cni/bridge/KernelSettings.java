package io.keelson.cni.bridge;

import java.io.FileNotFoundException;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;

/** Parameters below {@code /proc/sys}, in the calling thread's network namespace. */
final class KernelSettings {

  private static final Path ROOT = Path.of("/proc/sys");

  private KernelSettings() {}

  /** Empty if the kernel has no such parameter. */
  static Optional<String> read(String name) throws IOException {
    try {
      return Optional.of(Files.readString(ROOT.resolve(name)).strip());
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }

  /**
   * Writes a parameter, by as few calls as possible: the first look into a new namespace's
   * parameters is slow.
   *
   * @throws FileNotFoundException if the kernel has no such parameter
   */
  static void set(String name, String value) throws IOException {
    try (OutputStream out = new FileOutputStream(ROOT.resolve(name).toFile())) {
      out.write(value.getBytes(StandardCharsets.US_ASCII));
    }
  }

  /** Writes a parameter unless it has the value already, as on a read-only {@code /proc/sys}. */
  static void require(String name, String value) throws IOException {
    if (read(name).equals(Optional.of(value))) {
      return;
    }
    try {
      set(name, value);
    } catch (IOException e) {
      throw new IOException("can't set %s to %s: %s".formatted(name, value, e.getMessage()), e);
    }
  }

  /**
   * Lets the host forward packets, for IPv6 without losing routes that it has learnt from routers.
   */
  static void forward(boolean ipv6) throws IOException {
    require("net/ipv4/ip_forward", "1");
    String all = "net/ipv6/conf/all/forwarding";
    if (!ipv6 || read(all).equals(Optional.of("1"))) {
      return;
    }
    try (DirectoryStream<Path> links = Files.newDirectoryStream(ROOT.resolve("net/ipv6/conf"))) {
      for (Path link : links) {
        // A host that forwards heeds router advertisements only where this is 2.
        String acceptance = ROOT.relativize(link.resolve("accept_ra")).toString();
        if (read(acceptance).equals(Optional.of("1"))) {
          require(acceptance, "2");
        }
      }
    }
    require(all, "1");
  }
}
