package io.keelson.integration.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A driver of dynamic resource allocation in a process of its own ({@link DraDriverProgram}). */
public final class DraDriver implements AutoCloseable {

  private final TestNode node;
  private final String name;
  private final Path socket;
  private final Path file;
  private @Nullable PluginProcess process;

  private DraDriver(TestNode node, String name) {
    this.node = node;
    this.name = name;
    this.socket = node.root().resolve("plugins_registry").resolve(name + ".sock");
    this.file = node.folder("dra").resolve(name);
  }

  /** Starts a driver with these lines, as {@link DraDriverProgram} reads them. */
  public static DraDriver start(TestNode node, String name, String... lines) throws IOException {
    DraDriver driver = new DraDriver(node, name);
    driver.says(lines);
    driver.start();
    return driver;
  }

  /** From its next call on. */
  public void says(String... lines) throws IOException {
    Path next = file.resolveSibling(file.getFileName() + ".next");
    Files.write(next, List.of(lines));
    Files.move(next, file, StandardCopyOption.ATOMIC_MOVE); // the driver never sees it missing
  }

  public void start() throws IOException {
    process =
        PluginProcess.start(
            node,
            file.resolveSibling(file.getFileName() + ".log"),
            DraDriverProgram.class,
            node.base().relativize(socket).toString(),
            name,
            node.base().relativize(file).toString());
  }

  /** SIGKILL: its socket stays. */
  public void kill() {
    if (process != null) {
      process.kill();
    }
  }

  /** The calls that it got so far, such as {@code prepare NAMESPACE/NAME@UID}. */
  public List<String> calls() {
    try {
      return Files.exists(calls(file)) ? Files.readAllLines(calls(file)) : List.of();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public void forgetCalls() throws IOException {
    Files.deleteIfExists(calls(file));
  }

  private static Path calls(Path file) {
    return file.resolveSibling(file.getFileName() + ".calls");
  }

  @Override
  public void close() throws IOException {
    kill();
    Files.deleteIfExists(socket);
  }
}
