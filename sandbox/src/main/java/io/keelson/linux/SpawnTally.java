package io.keelson.linux;

import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * How often this process has started each program. Like the kernel's own counters there is one for
 * the process, whoever asked for the start; it only ever counts up.
 */
public final class SpawnTally {

  private static final ConcurrentMap<String, LongAdder> COUNTS = new ConcurrentHashMap<>();

  private SpawnTally() {}

  static void count(String program) {
    COUNTS.computeIfAbsent(program, _ -> new LongAdder()).increment();
  }

  /** By the programs' names, without their folders. */
  public static Map<String, Long> counts() {
    Map<String, Long> counts = new TreeMap<>();
    COUNTS.forEach((program, count) -> counts.merge(nameOf(program), count.sum(), Long::sum));
    return counts;
  }

  private static String nameOf(String program) {
    Path name = Path.of(program).getFileName();
    return name == null ? program : name.toString();
  }
}
