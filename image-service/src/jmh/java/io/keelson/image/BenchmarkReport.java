package io.keelson.image;

import io.keelson.image.archive.DecompressBenchmark;
import io.keelson.image.fixture.BenchmarkLayer;
import io.keelson.image.fixture.TestImage.Compression;
import io.keelson.image.pull.PipelineBenchmark;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/** Runs the benchmarks of images, and tells the pipeline's share of what cores and disk can do. */
public final class BenchmarkReport {

  private final int cores = Runtime.getRuntime().availableProcessors();
  private final Collection<RunResult> alone;
  private final Collection<RunResult> together;

  private BenchmarkReport(String[] jvmArguments) throws RunnerException {
    new Runner(options(DecompressBenchmark.class.getSimpleName(), 1, jvmArguments)).run();
    alone = new Runner(options(PipelineBenchmark.class.getSimpleName(), 1, jvmArguments)).run();
    String pipeline = PipelineBenchmark.class.getSimpleName() + ".pipeline";
    together = new Runner(options(pipeline, cores, jvmArguments)).run();
  }

  /**
   * @param arguments options of the JVM that measures
   */
  public static void main(String[] arguments) throws RunnerException, IOException {
    new BenchmarkReport(arguments).print();
  }

  private static Options options(String include, int threads, String[] jvmArguments) {
    ChainedOptionsBuilder options =
        new OptionsBuilder()
            .include(include)
            .threads(threads)
            .forks(1)
            .warmupIterations(2)
            .warmupTime(TimeValue.seconds(1))
            .measurementIterations(3)
            .measurementTime(TimeValue.seconds(1))
            .jvmArgs(jvmArguments);
    return options.build();
  }

  private void print() throws IOException {
    for (Compression compression : Compression.values()) {
      double size = BenchmarkLayer.of(compression).tar().length / 1e6;
      double first =
          of(alone, "digestOfTheBlob", compression) + of(alone, "decompress", compression);
      double second = of(alone, "digestOfTheTar", compression) + of(alone, "untar", compression);
      double pipeline = of(alone, "pipeline", compression);
      double all = of(together, "pipeline", compression);
      System.out.printf(
          """

          %s, %.0f MB of tar, %d cores:
            one layer: %.0f ms, %.0f MB/s; its slower thread's stages alone %.0f ms: %.0f %% of what two cores can do
            a layer per core: %.0f ms each, %.0f MB/s; the stages alone on all cores %.0f ms: %.0f %%
            the same bytes written as one file: %.0f ms, %.0f MB/s
          """,
          compression,
          size,
          cores,
          pipeline,
          size / pipeline * 1e3,
          Math.max(first, second),
          100 * Math.max(first, second) / pipeline,
          all,
          cores * size / all * 1e3,
          first + second,
          100 * (first + second) / all,
          of(alone, "writeAsOneFile", compression),
          size / of(alone, "writeAsOneFile", compression) * 1e3);
    }
  }

  private static double of(Collection<RunResult> results, String name, Compression compression) {
    List<RunResult> found =
        results.stream()
            .filter(result -> result.getParams().getBenchmark().endsWith("." + name))
            .filter(result -> result.getParams().getParam("compression").equals(compression.name()))
            .toList();
    return found.getFirst().getPrimaryResult().getScore();
  }
}
