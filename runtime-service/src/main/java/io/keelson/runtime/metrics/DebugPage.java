package io.keelson.runtime.metrics;

import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;

/**
 * The calls that run longer than they should, with their stages and where their threads are; and
 * what else does not get on.
 */
final class DebugPage {

  private static final int FRAMES = 40;

  private final Operations operations;
  private final Supplier<List<String>> stuck;

  /**
   * @param stuck one line for each thing
   */
  DebugPage(Operations operations, Supplier<List<String>> stuck) {
    this.operations = operations;
    this.stuck = stuck;
  }

  String text() {
    StringBuilder text = new StringBuilder();
    var slow = operations.olderThan(NodeCollector.SLOW_NANOS);
    text.append(
        "%d calls under way, %d of them for more than %d s\n"
            .formatted(
                operations.size(),
                slow.size(),
                Duration.ofNanos(NodeCollector.SLOW_NANOS).toSeconds()));
    long now = System.nanoTime();
    for (Operation operation : slow) {
      Operation.Stage stage = operation.last();
      text.append(
          "\n%s %s for %.1f s; stage %s for %.1f s\n"
              .formatted(
                  operation.method(),
                  operation.ids(),
                  (now - operation.startNanos()) / 1e9,
                  stage.name(),
                  (now - stage.nanos()) / 1e9));
      StackTraceElement[] frames = operation.thread().getStackTrace();
      for (int i = 0; i < Math.min(FRAMES, frames.length); i++) {
        text.append("    at ").append(frames[i]).append('\n');
      }
    }
    stuck.get().forEach(line -> text.append('\n').append(line).append('\n'));
    return text.toString();
  }
}
