package io.keelson.integration.harness;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Parser;
import io.keelson.proto.nri.v1alpha1.Container;
import io.keelson.proto.nri.v1alpha1.CreateContainerRequest;
import io.keelson.proto.nri.v1alpha1.PodSandbox;
import io.keelson.proto.nri.v1alpha1.StateChangeEvent;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;

/**
 * A plugin of the Node Resource Interface in a process of its own ({@link NriPluginProgram}), and
 * what it was called with so far.
 */
public final class NriPlugin implements AutoCloseable {

  /**
   * A call that the plugin got.
   *
   * @param request of the contract's message
   */
  public record Call(String method, byte[] request) {

    /** The call's message. */
    public <M> M as(Parser<M> parser) {
      try {
        return parser.parseFrom(request);
      } catch (InvalidProtocolBufferException e) {
        throw new AssertionError(method, e);
      }
    }

    /** Of every call about a pod or a container. */
    public PodSandbox pod() {
      return method.equals("StateChange")
          ? as(StateChangeEvent.parser()).getPod()
          : as(CreateContainerRequest.parser()).getPod();
    }

    /** Of every call about a container: all bear it in the same field. */
    public Container container() {
      return method.equals("StateChange")
          ? as(StateChangeEvent.parser()).getContainer()
          : as(CreateContainerRequest.parser()).getContainer();
    }
  }

  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final Process process;
  private final PrintStream commands;
  private final List<String> lines = new CopyOnWriteArrayList<>();
  private final AtomicLong given = new AtomicLong();
  private final Thread reader;

  private NriPlugin(Process process) {
    this.process = process;
    this.commands = new PrintStream(process.getOutputStream(), true, UTF_8);
    this.reader = Thread.ofPlatform().daemon().start(this::read);
  }

  /** Starts a plugin that has these orders from the beginning; it may take part or not. */
  public static NriPlugin start(Path socket, String index, String name, String... orders)
      throws IOException {
    List<String> command = command();
    command.addAll(List.of(index, name, socket.toString()));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    NriPlugin plugin = new NriPlugin(process);
    for (String order : orders) {
      plugin.say(order);
    }
    plugin.commands.println();
    return plugin;
  }

  /** Starts a plugin and waits until it has been told of what there is. */
  public static NriPlugin connect(Path socket, String index, String name, String... orders)
      throws IOException {
    NriPlugin plugin = start(socket, index, name, orders);
    plugin.await("Synchronize");
    return plugin;
  }

  /** What starts the program, up to its arguments. */
  public static List<String> command() {
    return new ArrayList<>(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "--add-opens=java.base/java.io=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-cp",
            System.getProperty("java.class.path"),
            NriPluginProgram.class.getName()));
  }

  private void read() {
    try (BufferedReader output =
        new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8))) {
      for (String line = output.readLine(); line != null; line = output.readLine()) {
        lines.add(line);
      }
    } catch (IOException _) {
      // its end
    }
  }

  /** Gives an order, as {@link NriPluginProgram} knows them, and waits until it holds. */
  public void order(String order) {
    say(order);
    awaitTaken("order " + order);
  }

  private void awaitTaken(String what) {
    Awaitility.await(what)
        .atMost(PATIENCE)
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(5))
        .until(() -> taken() >= given.get() || !reader.isAlive());
  }

  private void say(String order) {
    given.incrementAndGet();
    commands.println(order);
  }

  private long taken() {
    return lines.stream().filter(line -> line.startsWith("taken ")).count();
  }

  /**
   * All calls so far, in their order. What the daemon has had an answer to is among them, though
   * the plugin's words come through a pipe.
   */
  public List<Call> calls() {
    if (process.isAlive()) {
      say("obey nothing");
    }
    awaitTaken("all that was said so far");
    return calls(lines);
  }

  /** The calls of a plugin's output. */
  public static List<Call> calls(List<String> lines) {
    return lines.stream()
        .filter(line -> line.startsWith("call "))
        .map(line -> line.split(" ", -1))
        .map(words -> new Call(words[1], Base64.getDecoder().decode(words[2])))
        .toList();
  }

  /** The calls of one method so far. */
  public List<Call> calls(String method) {
    return calls().stream().filter(call -> call.method().equals(method)).toList();
  }

  /** The methods called so far, without those of the connection itself. */
  public List<String> methods() {
    return calls().stream()
        .map(Call::method)
        .filter(method -> !method.equals("Configure") && !method.equals("Synchronize"))
        .toList();
  }

  /** Waits for a call of this method. */
  public Call await(String method) {
    Awaitility.await("NRI call " + method).atMost(PATIENCE).until(() -> !calls(method).isEmpty());
    return calls(method).getFirst();
  }

  /** Waits for a line of output that begins so, and is not a call. */
  public String awaitLine(String beginning) {
    Awaitility.await("line " + beginning)
        .atMost(PATIENCE)
        .until(() -> lines.stream().anyMatch(line -> line.startsWith(beginning)));
    return lines.stream().filter(line -> line.startsWith(beginning)).findFirst().orElseThrow();
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  /** Waits for its end by itself. */
  public boolean awaitEnd(Duration timeout) throws InterruptedException {
    return process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** SIGKILL. */
  @Override
  public void close() {
    process.destroyForcibly();
    process.onExit().join();
  }
}
