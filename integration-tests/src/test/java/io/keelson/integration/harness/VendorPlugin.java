package io.keelson.integration.harness;

import io.keelson.device.sdk.ExamplePlugin;
import io.keelson.proto.node.v1.ListResourcesRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The example device plugin as a process of its own, as a vendor's is. What it offers and how it
 * behaves stands in a file that may change while it runs.
 */
public final class VendorPlugin implements AutoCloseable {

  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Duration PAUSE = Duration.ofMillis(20);

  private final TestNode node;
  private final Path folder;
  private final String resource;
  private final PluginScript script;
  private @Nullable PluginProcess process;

  private VendorPlugin(TestNode node, String resource) {
    this.node = node;
    this.folder = node.devicePlugins();
    this.resource = resource;
    this.script =
        new PluginScript(
            node.folder("plugins").resolve(resource.substring(resource.indexOf('/') + 1)));
  }

  /**
   * Starts the plugin of a resource with these lines, as {@link ExamplePlugin} reads them. Its
   * devices can be asked for when it returns.
   */
  public static VendorPlugin start(TestNode node, String resource, String... lines)
      throws IOException {
    VendorPlugin plugin = new VendorPlugin(node, resource);
    plugin.says(lines);
    plugin.script.forgetCalls();
    plugin.start();
    plugin.awaitServing();
    return plugin;
  }

  private void awaitServing() {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (node
        .cri()
        .devices()
        .listResources(ListResourcesRequest.getDefaultInstance())
        .getResourcesList()
        .stream()
        .noneMatch(
            one -> one.getName().equals(resource) && one.getPluginState().equals("serving"))) {
      if (System.nanoTime() > end) {
        throw new AssertionError("the plugin of " + resource + " does not register");
      }
      LockSupport.parkNanos(PAUSE.toNanos());
    }
  }

  /** Replaces what it offers. */
  public void says(String... lines) throws IOException {
    script.says(lines);
  }

  public void start() throws IOException {
    process =
        PluginProcess.start(
            node,
            script.log(),
            ExamplePlugin.class,
            node.base().relativize(folder).toString(),
            resource,
            script.file().getFileName() + ".sock",
            node.base().relativize(script.file()).toString());
  }

  /** SIGKILL. */
  public void kill() {
    Objects.requireNonNull(process, "never started").kill();
  }

  /** The calls that it got so far, such as {@code allocate w0,w1}. */
  public List<String> calls() {
    return script.calls();
  }

  @Override
  public void close() {
    kill();
  }
}
