package io.keelson.linux;

import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
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
    COUNTS.computeIfAbsent(nameOf(Path.of(program)), _ -> new LongAdder()).increment();
  }

  /** By the programs' names, without folders; a {@link SealedProgram} has that of its file. */
  public static Map<String, Long> counts() {
    Map<String, Long> counts = new TreeMap<>();
    COUNTS.forEach((program, count) -> counts.put(program, count.sum()));
    return counts;
  }

  private static String nameOf(Path program) {
    return SealedProgram.nameAt(program)
        .orElseGet(
            () -> String.valueOf(Objects.requireNonNullElse(program.getFileName(), program)));
  }
}
