package io.keelson.cni.bridge;

import io.keelson.linux.netlink.IpPrefix;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Leases on disk: a file {@code leases/SANDBOX} with the addresses, one a line, and {@code last}
 * with the number of the last host given away.
 *
 * <p>Nothing is synced: a file survives the death of the daemon anyway, and the loss of power ends
 * the pods whose addresses it could lose. Streams are used where a channel would be closed by an
 * interrupt.
 */
final class LeaseFiles implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(LeaseFiles.class);

  private final Path leases;
  private final RandomAccessFile last;

  LeaseFiles(Path directory) throws IOException {
    leases = Files.createDirectories(directory.resolve("leases"));
    last = new RandomAccessFile(directory.resolve("last").toFile(), "rw");
  }

  /**
   * What is there; files that make no sense are deleted, for no pod was attached before its was
   * whole.
   */
  List<Lease> read() throws IOException {
    List<Lease> found = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(leases)) {
      for (Path file : files) {
        String sandboxId = String.valueOf(file.getFileName());
        try {
          List<IpPrefix> addresses =
              Files.readAllLines(file).stream().map(IpPrefix::parse).toList();
          found.add(new Lease(sandboxId, addresses));
        } catch (IllegalArgumentException e) {
          log.atWarn()
              .addKeyValue("sandbox", sandboxId)
              .log("deleted an unfinished lease: {}", e.getMessage());
          Files.delete(file);
        }
      }
    }
    return found;
  }

  void write(Lease lease) throws IOException {
    StringBuilder text = new StringBuilder();
    lease.addresses().forEach(address -> text.append(address).append('\n'));
    Path file = file(lease.sandboxId());
    try (OutputStream out = new FileOutputStream(file.toFile())) {
      out.write(text.toString().getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      try {
        Files.deleteIfExists(file);
      } catch (IOException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
  }

  void delete(String sandboxId) throws IOException {
    Files.deleteIfExists(file(sandboxId));
  }

  /** 0 if none was given away yet. */
  long readLast() throws IOException {
    last.seek(0);
    String line = last.readLine();
    try {
      return line == null ? 0 : Math.max(0, Long.parseLong(line.trim()));
    } catch (NumberFormatException e) {
      return 0; // costs no more than an address that is used again early
    }
  }

  void writeLast(long number) throws IOException {
    last.seek(0);
    // as wide as the longest, so that a shorter number overwrites a longer one
    last.write("%-19d\n".formatted(number).getBytes(StandardCharsets.US_ASCII));
  }

  private Path file(String sandboxId) {
    Path file = leases.resolve(sandboxId).normalize();
    if (!leases.equals(file.getParent())) {
      throw new IllegalArgumentException("not a sandbox id: " + sandboxId);
    }
    return file;
  }

  @Override
  public void close() throws IOException {
    last.close();
  }
}
