package io.keelson.linux.netlink;

import io.keelson.linux.NamespaceType;
import io.keelson.linux.Namespaces;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;

/** A network namespace of a test's own, gone with all links in it when closed. */
final class TestNamespace implements AutoCloseable {

  private final Path pin;

  TestNamespace() throws IOException {
    pin = Files.createTempDirectory("keelson-netns").resolve("net");
    Namespaces.create(Map.of(NamespaceType.NET, pin), null, Map.of());
  }

  Path pin() {
    return pin;
  }

  <T> T call(Callable<T> work) throws IOException {
    return Namespaces.callIn(pin, NamespaceType.NET, work);
  }

  RouteSocket socket() throws IOException {
    return call(RouteSocket::open);
  }

  @Override
  public void close() throws IOException {
    Namespaces.unpin(pin);
    Files.delete(pin.toAbsolutePath().getParent());
  }
}
