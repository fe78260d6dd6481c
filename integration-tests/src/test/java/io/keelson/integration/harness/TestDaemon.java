package io.keelson.integration.harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The daemon as it is installed ({@code bin/keelson serve}), as a child process. It can be ended as
 * an administrator does (SIGTERM) and as a power cut does (SIGKILL), and started again on the same
 * folders. Its log goes on in one file.
 */
public final class TestDaemon {

  /**
   * Names a step at which the daemon ends itself: {@code STEP[:N]}, at the N-th time, or
   * {@code @FILE}, as the file says at the moment.
   */
  public static final String FAULT_POINT = "KEELSON_FAULT_POINT";

  private static final Duration PATIENCE = Patience.ofSeconds(60);

  private final Path configuration;
  private final Path socket;
  private final Path log;
  private final Map<String, String> environment = new HashMap<>();
  private @Nullable Process process;

  TestDaemon(Path configuration, Path socket, Path log) {
    this.configuration = configuration;
    this.socket = socket;
    this.log = log;
  }

  /** The installation that the build has made. */
  public static Path installation() {
    return Path.of(System.getProperty("keelson.dist", "../runtime-service/target/dist"));
  }

  /** Every later start has the variable in its environment. */
  void environment(String name, String value) {
    environment.put(name, value);
  }

  /** Starts the daemon and returns when it answers. */
  public void start() throws IOException {
    start(Map.of());
    awaitServing();
  }

  /** Starts the daemon and does not wait. */
  public void start(Map<String, String> more) throws IOException {
    if (isAlive()) {
      throw new IllegalStateException("the daemon runs already");
    }
    ProcessBuilder builder =
        new ProcessBuilder(
                // As careful administrators have it: nothing may depend on it.
                "sh",
                "-c",
                "umask 077; exec \"$0\" \"$@\"",
                installation().resolve("bin/keelson").toString(),
                "serve",
                "--config",
                configuration.toString())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().putAll(environment);
    builder.environment().putAll(more);
    process = builder.start();
    process.getOutputStream().close();
  }

  /** Returns when the daemon has ended its recovery and answers calls. */
  public void awaitServing() throws IOException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      if (!isAlive()) {
        throw new IOException("the daemon has ended instead of serving:\n" + logTail());
      }
      if (Files.exists(socket)) {
        try (Cri cri = Cri.connect(socket)) {
          if (cri.isServing()) {
            return;
          }
        }
      }
      if (System.nanoTime() > end) {
        throw new IOException("the daemon does not serve after " + PATIENCE + ":\n" + logTail());
      }
      sleep(20);
    }
  }

  public boolean isAlive() {
    return process != null && process.isAlive();
  }

  public long pid() {
    return Objects.requireNonNull(process, "never started").pid();
  }

  /** SIGTERM, as an administrator does; returns the exit code. */
  public int terminate() {
    Process running = Objects.requireNonNull(process, "never started");
    running.destroy();
    return awaitEnd();
  }

  /** SIGKILL: no instruction of the daemon runs any more. */
  public void kill() {
    if (process != null) {
      process.destroyForcibly();
      awaitEnd();
    }
  }

  /** Waits for the daemon to end by itself; returns its exit code. */
  public int awaitEnd() {
    Process running = Objects.requireNonNull(process, "never started");
    try {
      if (!running.waitFor(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new AssertionError("the daemon does not end within " + PATIENCE + ":\n" + logTail());
      }
      return running.exitValue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** SIGTERM and a new start. */
  public void restart() throws IOException {
    terminate();
    start();
  }

  /** SIGKILL and a new start. */
  public void killAndStart() throws IOException {
    kill();
    start();
  }

  /** Everything that the daemon has logged, over all its starts. */
  public String log() {
    try {
      return Files.exists(log) ? Files.readString(log) : "";
    } catch (IOException e) {
      return "unreadable log: " + e.getMessage();
    }
  }

  private String logTail() {
    String text = log();
    return text.substring(Math.max(0, text.length() - 8000));
  }

  private static void sleep(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
