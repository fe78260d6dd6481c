package io.keelson.image.manifest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The microarchitecture level of an x86-64 processor (x86-64 psABI, section 3.1.1). */
final class X86Level {

  private static final Path CPUINFO = Path.of("/proc/cpuinfo");

  private static final Set<String> V2 =
      Set.of("cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3");
  private static final Set<String> V3 =
      Set.of("avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave");
  private static final Set<String> V4 =
      Set.of("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl");

  private X86Level() {}

  /** {@code v1} to {@code v4}; {@code v1} if the kernel does not say. */
  static String ofHost() {
    try (Stream<String> lines = Files.lines(CPUINFO)) {
      return lines
          .filter(line -> line.startsWith("flags"))
          .findFirst()
          .map(line -> of(line.substring(line.indexOf(':') + 1)))
          .orElse("v1");
    } catch (IOException e) {
      return "v1";
    }
  }

  /**
   * @param flags as in /proc/cpuinfo
   */
  static String of(String flags) {
    Set<String> has =
        Arrays.stream(flags.strip().split("\\s+", -1)).collect(Collectors.toUnmodifiableSet());
    if (!has.containsAll(V2)) {
      return "v1";
    }
    if (!has.containsAll(V3)) {
      return "v2";
    }
    return has.containsAll(V4) ? "v4" : "v3";
  }
}
