package io.keelson.csi;

import io.keelson.csi.driver.BuiltInDriver;
import io.keelson.csi.local.LocalDriver;
import io.keelson.sandbox.rpc.UnixServer;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The local driver as a part of the daemon, for a node without any other. */
final class LocalDriverPart implements BuiltInDriver {

  private final String name;
  private final Path root;
  private final Path socket;
  private final String nodeId;
  private final String version;
  private @Nullable UnixServer server;

  LocalDriverPart(String name, Path root, Path socket, String nodeId, String version) {
    this.name = name;
    this.root = root;
    this.socket = socket;
    this.nodeId = nodeId;
    this.version = version;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public synchronized Path start() throws IOException {
    server = UnixServer.start(socket, new LocalDriver(name, root, nodeId, version).services());
    return socket;
  }

  @Override
  public synchronized void close() throws IOException {
    if (server != null) {
      server.close();
    }
  }
}
