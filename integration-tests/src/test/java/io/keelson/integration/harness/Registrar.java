package io.keelson.integration.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The sidecar that registers a CSI driver, in a process of its own ({@link RegistrarProgram}). */
public final class Registrar implements AutoCloseable {

  private final PluginProcess process;
  private final Path log;

  private Registrar(PluginProcess process, Path log) {
    this.process = process;
    this.log = log;
  }

  /** Waits for the driver, then registers it. */
  public static Registrar start(TestNode node, CsiDriverProcess driver) throws IOException {
    Path log = driver.socket().resolveSibling("registrar.log");
    Files.deleteIfExists(log);
    return new Registrar(
        PluginProcess.start(
            node,
            log,
            RegistrarProgram.class,
            node.base().relativize(driver.socket()).toString(),
            node.pluginRegistrations().toString()),
        log);
  }

  /** What it was told so far, a line for each call. */
  public List<String> told() {
    try {
      return Files.exists(log) ? Files.readAllLines(log) : List.of();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** SIGKILL: its socket stays, as after a crash. */
  @Override
  public void close() {
    process.kill();
  }
}
