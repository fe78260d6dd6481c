package io.keelson.integration.harness;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A CSI driver in a process of its own: {@code keelson csi-driver}, as a vendor's would run. */
public final class CsiDriverProcess implements AutoCloseable {

  private final Path folder;
  private final List<String> command;
  private @Nullable Process process;

  private CsiDriverProcess(Path folder, List<String> command) {
    this.folder = folder;
    this.command = command;
  }

  /**
   * Starts one that serves {@code csi.sock} in a folder of its own.
   *
   * @param more options
   */
  public static CsiDriverProcess start(TestNode node, String name, String... more)
      throws IOException {
    Path folder = node.folder(name);
    List<String> command = new ArrayList<>();
    command.add(TestDaemon.installation().resolve("bin/keelson").toString());
    command.addAll(List.of("csi-driver", "--name", name));
    command.addAll(List.of("--endpoint", folder.resolve("csi.sock").toString()));
    command.addAll(List.of("--root", folder.resolve("volumes").toString()));
    command.addAll(List.of(more));
    CsiDriverProcess driver = new CsiDriverProcess(folder, command);
    driver.start();
    return driver;
  }

  public void start() throws IOException {
    process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(folder.resolve("log").toFile()))
            .start();
  }

  public Path socket() {
    return folder.resolve("csi.sock");
  }

  /** SIGKILL: its sockets stay. */
  public void kill() {
    awaitEnd(running().destroyForcibly());
  }

  /** SIGTERM; it takes its sockets with it. Harmless if it was killed. */
  @Override
  public void close() {
    running().destroy();
    awaitEnd(running());
  }

  private Process running() {
    return Objects.requireNonNull(process, "never started");
  }

  private static void awaitEnd(Process process) {
    try {
      if (!process.waitFor(20, TimeUnit.SECONDS)) {
        throw new AssertionError("the driver does not end");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
