package io.keelson.integration.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Programs of the host that tests look at it with. */
public final class Shell {

  /** What a program said (both streams) and how it ended. */
  public record Result(int exitCode, String output) {}

  private Shell() {}

  /** Runs a program to its end. */
  public static Result run(List<String> command) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      process.getOutputStream().close();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return new Result(process.waitFor(), output);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** The output of a program that must succeed. */
  public static String output(String... command) {
    Result result = run(List.of(command));
    if (result.exitCode() != 0) {
      throw new AssertionError(
          String.join(" ", command) + " ended with " + result.exitCode() + ": " + result.output());
    }
    return result.output();
  }
}
