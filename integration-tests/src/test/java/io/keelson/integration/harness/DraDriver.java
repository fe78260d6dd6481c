package io.keelson.integration.harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A driver of dynamic resource allocation in a process of its own ({@link DraDriverProgram}). */
public final class DraDriver implements AutoCloseable {

  private final TestNode node;
  private final String name;
  private final Path socket;
  private final PluginScript script;
  private @Nullable PluginProcess process;

  private DraDriver(TestNode node, String name) {
    this.node = node;
    this.name = name;
    this.socket = node.pluginRegistrations().resolve(name + ".sock");
    this.script = new PluginScript(node.folder("dra").resolve(name));
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
    script.says(lines);
  }

  public void start() throws IOException {
    process =
        PluginProcess.start(
            node,
            script.log(),
            DraDriverProgram.class,
            node.base().relativize(socket).toString(),
            name,
            node.base().relativize(script.file()).toString());
  }

  /** SIGKILL: its socket stays. */
  public void kill() {
    if (process != null) {
      process.kill();
    }
  }

  /** The calls that it got so far, such as {@code prepare NAMESPACE/NAME@UID}. */
  public List<String> calls() {
    return script.calls();
  }

  public void forgetCalls() throws IOException {
    script.forgetCalls();
  }

  @Override
  public void close() throws IOException {
    kill();
    Files.deleteIfExists(socket);
  }
}
