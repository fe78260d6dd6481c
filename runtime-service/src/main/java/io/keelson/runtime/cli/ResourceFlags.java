package io.keelson.runtime.cli;

import io.keelson.proto.cri.v1.LinuxContainerResources;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The limits of a container. */
final class ResourceFlags {

  /** The period of CFS in microseconds that everyone uses. */
  private static final long CPU_PERIOD = 100_000;

  private static final Pattern SIZE = Pattern.compile("([0-9]{1,15})([kmg]?)(i?b)?");

  @Option(
      names = {"-m", "--memory"},
      paramLabel = "SIZE",
      description = "The most memory: bytes, or with k, m or g.")
  private @Nullable String memory;

  @Option(
      names = "--cpus",
      paramLabel = "NUMBER",
      description = "The most processors, such as 0.5.")
  private double cpus;

  LinuxContainerResources resources() {
    LinuxContainerResources.Builder resources = LinuxContainerResources.newBuilder();
    if (memory != null) {
      resources.setMemoryLimitInBytes(bytes(memory));
    }
    if (cpus < 0 || cpus > 100_000) {
      throw CommandException.usage("--cpus must be above 0, not " + cpus);
    }
    if (cpus > 0) {
      resources.setCpuPeriod(CPU_PERIOD).setCpuQuota(Math.max(1000, Math.round(cpus * CPU_PERIOD)));
    }
    return resources.build();
  }

  static long bytes(String text) {
    Matcher matcher = SIZE.matcher(text.toLowerCase(Locale.ROOT));
    if (!matcher.matches()) {
      throw CommandException.usage(
          "\"" + text + "\" is no size; write bytes, or a number with k, m or g");
    }
    int shift =
        switch (matcher.group(2)) {
          case "k" -> 10;
          case "m" -> 20;
          case "g" -> 30;
          default -> 0;
        };
    return Math.multiplyExact(Long.parseLong(matcher.group(1)), 1L << shift);
  }
}
