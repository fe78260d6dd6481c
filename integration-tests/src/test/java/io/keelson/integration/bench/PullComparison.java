package io.keelson.integration.bench;

import io.keelson.integration.harness.LargeImage;
import io.keelson.integration.harness.ProcessMemory;
import io.keelson.integration.harness.Shell;
import io.keelson.integration.harness.TestDaemon;
import io.keelson.integration.harness.TestRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Pulls the same images with several programs in turns, and tells the times and by how much the
 * daemons' memory grew.
 */
public final class PullComparison implements AutoCloseable {

  /** What this project wants to be at most, in another's time. */
  private static final double WANTED_RATIO = 0.6;

  private static final long WANTED_GROWTH = 150_000_000;

  private static final int COMPRESSION = 6;

  private static final List<LargeImage> IMAGES =
      List.of(
          new LargeImage(10, 20_000_000, COMPRESSION),
          new LargeImage(1, 200_000_000, COMPRESSION),
          new LargeImage(40, 2_000_000, COMPRESSION));

  private final int rounds;
  private final List<Puller> pullers = new ArrayList<>();

  private PullComparison(int rounds) {
    this.rounds = rounds;
  }

  /** One pull: nanoseconds, and bytes that the daemon took more than before it. */
  private record Measured(long nanos, long growth) {}

  /**
   * @param arguments a folder to work in, how many rounds, and who else pulls: {@code
   *     containerd[=PROGRAM]} or {@code podman[=PROGRAM]}
   */
  public static void main(String[] arguments) throws IOException {
    Path folder = Path.of(arguments[0]);
    // Also when it is interrupted, nothing that it has started goes on.
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(() -> ProcessHandle.current().children().forEach(ProcessHandle::destroy)));
    try (TestRegistry registry = TestRegistry.plain(folder.resolve("registry"));
        PullComparison comparison = new PullComparison(Integer.parseInt(arguments[1]))) {
      comparison.pullers.add(
          CriPuller.keelson(
              TestDaemon.installation().resolve("bin/keelson").toString(),
              folder.resolve("keelson"),
              registry.host()));
      for (String other : Arrays.asList(arguments).subList(2, arguments.length)) {
        String name = other.split("=", 2)[0];
        String program = other.substring(other.indexOf('=') + 1);
        Path own = folder.resolve(name + comparison.pullers.size());
        comparison.pullers.add(
            switch (name) {
              case "containerd" -> CriPuller.containerd(program, own);
              case "podman" -> new Podman(program, own);
              default -> throw new IllegalArgumentException(name + " is not known here");
            });
      }
      comparison.run(registry, folder);
    }
  }

  private void run(TestRegistry registry, Path folder) throws IOException {
    Map<LargeImage, String> names = new LinkedHashMap<>();
    for (LargeImage image : IMAGES) {
      names.put(image, image.push(registry, "bench/layers" + image.layers(), folder));
    }
    System.out.printf(
        "  medians of %d rounds; wanted: at most %.1f of another's time, less than %d MB of"
            + " growth%n",
        rounds, WANTED_RATIO, WANTED_GROWTH / 1_000_000);
    System.out.printf(
        "  %-12s %-20s %9s %9s %9s %9s %10s%n",
        "image", "program", "median s", "least s", "most s", "keelson/", "growth MB");
    for (Map.Entry<LargeImage, String> image : names.entrySet()) {
      print(image.getKey(), measure(image.getValue()));
    }
  }

  private Map<Puller, List<Measured>> measure(String image) throws IOException {
    Map<Puller, List<Measured>> measured = new LinkedHashMap<>();
    List<Puller> order = new ArrayList<>(pullers);
    for (int round = 0; round < rounds; round++) {
      for (Puller puller : order) {
        measured.computeIfAbsent(puller, _ -> new ArrayList<>()).add(measure(puller, image));
      }
      Collections.rotate(order, 1);
    }
    return measured;
  }

  private static Measured measure(Puller puller, String image) throws IOException {
    // What one has left to write is not to slow the next down.
    Shell.output("sync");
    long before = 0;
    if (puller.pid().isPresent()) {
      ProcessMemory memory = new ProcessMemory(puller.pid().getAsLong());
      memory.forgetPeak();
      before = memory.resident();
    }
    long begin = System.nanoTime();
    puller.pull(image);
    long nanos = System.nanoTime() - begin;
    long growth =
        puller.pid().isPresent() ? new ProcessMemory(puller.pid().getAsLong()).peak() - before : 0;
    puller.remove(image);
    return new Measured(nanos, growth);
  }

  private static void print(LargeImage image, Map<Puller, List<Measured>> measured) {
    double ours = 0;
    for (Map.Entry<Puller, List<Measured>> entry : measured.entrySet()) {
      double[] seconds =
          entry.getValue().stream().mapToDouble(one -> one.nanos() / 1e9).sorted().toArray();
      double median = seconds[seconds.length / 2];
      boolean first = ours == 0;
      ours = first ? median : ours;
      System.out.printf(
          "  %-12s %-20s %9.2f %9.2f %9.2f %9s %10s%n",
          first ? "%d x %d MB".formatted(image.layers(), image.layerBytes() / 1_000_000) : "",
          entry.getKey().name(),
          median,
          seconds[0],
          seconds[seconds.length - 1],
          first ? "" : "%.2f".formatted(ours / median),
          entry.getKey().pid().isEmpty()
              ? "-"
              : entry.getValue().stream().mapToLong(Measured::growth).max().orElse(0) / 1_000_000);
    }
  }

  @Override
  public void close() throws IOException {
    for (Puller puller : pullers) {
      puller.close();
    }
  }
}
