package io.keelson.runtime.server;

import java.util.Set;

/**
 * Holds calls back until the daemon knows again what runs on the node. A kubelet asks for version
 * and status before anything else, so these are answered at once. Safe for use by many threads.
 */
public final class ReadinessGate {

  private static final Set<String> ALWAYS_ANSWERED =
      Set.of(
          "runtime.v1.RuntimeService/Version",
          "runtime.v1.RuntimeService/Status",
          "grpc.health.v1.Health/Check",
          "grpc.health.v1.Health/Watch");

  private volatile boolean open;

  /** Recovery has ended: every call is let through from now on. */
  public void open() {
    open = true;
  }

  public boolean isOpen() {
    return open;
  }

  boolean admits(String fullMethodName) {
    return open || ALWAYS_ANSWERED.contains(fullMethodName);
  }
}
