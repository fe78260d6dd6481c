package io.keelson.integration.harness;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A node's daemon that dies once in a test, at a fault point, and the caller that makes the call
 * again which got no answer. To be made before the node starts.
 */
public final class DyingDaemon {

  private static final Pattern POINT = Pattern.compile("reached\\(\\s*\"([^\"]+)\"");

  private final TestNode node;
  private final Path point;
  private boolean died;

  public DyingDaemon(TestNode node) {
    this.node = node;
    this.point = node.base().resolve("fault-point");
    node.daemon().environment(TestDaemon.FAULT_POINT, "@" + point);
  }

  /** Every point that sources name, so that a new one is tested from its first day. */
  public static Stream<String> points(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      List<Path> sources = files.filter(file -> file.toString().endsWith(".java")).toList();
      Stream.Builder<String> points = Stream.builder();
      for (Path source : sources) {
        POINT.matcher(Files.readString(source)).results().forEach(m -> points.add(m.group(1)));
      }
      return points.build().distinct().sorted();
    }
  }

  /** The running daemon dies when it comes to the step the next time. */
  public void dieAt(String step) throws IOException {
    died = false;
    Files.writeString(point, step);
  }

  /** Whether it has come to the point. */
  public boolean hasDied() {
    return died;
  }

  /**
   * Makes a call; if the daemon dies in it, starts the daemon again and makes the same call once.
   */
  public <T extends @Nullable Object> T survive(Callable<T> call) throws Exception {
    try {
      return call.call();
    } catch (StatusRuntimeException e) {
      if (died || e.getStatus().getCode() != Status.Code.UNAVAILABLE) {
        throw e;
      }
      node.daemon().awaitEnd();
      died = true;
      Files.delete(point);
      node.daemon().start();
      node.cri().reconnect();
      return call.call();
    }
  }

  /** As above, for a call without an answer. */
  public void survive(Runnable call) throws Exception {
    survive(
        () -> {
          call.run();
          return Boolean.TRUE;
        });
  }
}
