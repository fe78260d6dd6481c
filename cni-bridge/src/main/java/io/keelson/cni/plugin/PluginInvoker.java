package io.keelson.cni.plugin;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.keelson.cni.plugin.PluginException.Kind;
import io.keelson.linux.CommandTimeoutException;
import io.keelson.linux.Commands;
import io.keelson.linux.Commands.Output;
import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs one plugin (CNI spec 1.1, section 2): one spawn, parameters by environment, configuration on
 * standard input, answer on standard output. Plugins run in the network namespace of the calling
 * thread, which must be the host's. Safe for use by many threads.
 */
final class PluginInvoker {

  private static final Logger log = LoggerFactory.getLogger(PluginInvoker.class);

  /** A result with hundreds of interfaces has 100 KiB. */
  private static final int MAX_ANSWER = 1 << 20;

  /** How much of what a plugin said goes into a message. */
  private static final int TAIL = 1000;

  private static final Pattern CONTROL = Pattern.compile("[\\p{Cntrl}&&[^\\n\\t]]");

  /** A program that is being replaced can't be executed until its writer closes it. */
  private static final int BUSY_ATTEMPTS = 20;

  private static final Duration BUSY_PAUSE = Duration.ofMillis(100);

  private final PluginPath path;
  private final Map<String, String> environment;

  PluginInvoker(PluginPath path, Map<String, String> environment) {
    this.path = path;
    this.environment =
        environment.entrySet().stream()
            .filter(variable -> !variable.getKey().startsWith("CNI_"))
            .collect(Collectors.toUnmodifiableMap(Map.Entry::getKey, Map.Entry::getValue));
  }

  /**
   * Runs the plugin to its end, or to the death of all its processes at the deadline.
   *
   * @return what it printed; an empty object for a command that prints nothing
   */
  ObjectNode invoke(PluginCall call) throws PluginException {
    Path program = locate(call);
    Map<String, String> variables = new HashMap<>(environment);
    variables.putAll(call.environment());
    variables.put("CNI_COMMAND", call.command().name());
    variables.put("CNI_PATH", path.toString());
    long start = System.nanoTime();
    Output output = run(program, variables, call);
    log.atDebug()
        .addKeyValue("plugin", call.plugin().type())
        .addKeyValue("command", call.command())
        .addKeyValue("network", call.network())
        .addKeyValue("sandbox", call.environment().getOrDefault("CNI_CONTAINERID", ""))
        .addKeyValue("exit", output.exitCode())
        .addKeyValue("millis", (System.nanoTime() - start) / 1_000_000)
        .addKeyValue("stderr", tail(output.stderr()))
        .log("plugin ended");
    return answer(call, output);
  }

  /**
   * The program that a call runs; looked up each time, because plugins are installed and replaced.
   */
  Path locate(PluginCall call) throws PluginException {
    return path.find(call.plugin().type())
        .orElseThrow(
            () ->
                new PluginException(
                    call, Kind.NOT_STARTED, "is not installed: no such program in " + path, null));
  }

  private Output run(Path program, Map<String, String> variables, PluginCall call)
      throws PluginException {
    List<String> command = List.of(program.toString());
    byte[] stdin = Json.bytes(call.request());
    for (int attempt = 1; ; attempt++) {
      try {
        return Commands.run(command, variables, stdin, call.deadline(), MAX_ANSWER + 1);
      } catch (CommandTimeoutException e) {
        throw new PluginException(call, Kind.TIMED_OUT, "failed: " + e.getMessage(), e);
      } catch (ErrnoException e) {
        if (!e.is(Errno.ETXTBSY) || attempt == BUSY_ATTEMPTS) {
          throw notRun(call, e);
        }
      } catch (IOException e) {
        throw notRun(call, e);
      }
      try {
        Thread.sleep(BUSY_PAUSE);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw notRun(call, e);
      }
    }
  }

  private static PluginException notRun(PluginCall call, Exception e) {
    return new PluginException(call, Kind.NOT_STARTED, "can't be run: " + e.getMessage(), e);
  }

  private static ObjectNode answer(PluginCall call, Output output) throws PluginException {
    ObjectNode printed = Json.object();
    String rubbish = "";
    if (output.stdout().length > MAX_ANSWER) {
      rubbish = "more than " + MAX_ANSWER + " bytes, beginning with " + head(output.stdout());
    } else if (output.stdout().length == 0) {
      rubbish = "nothing";
    } else {
      try {
        printed = Json.parseObject(output.stdout());
      } catch (IOException e) {
        rubbish = "what " + e.getMessage() + ": " + head(output.stdout());
      }
    }
    boolean refused = printed.path("code").asInt() != 0;
    if (output.exitCode() == 0 && !refused) {
      if (!rubbish.isEmpty() && call.command().answered()) {
        throw new PluginException(
            call, Kind.MALFORMED, "ended well but printed " + rubbish + said(output), null);
      }
      return printed;
    }
    if (refused || printed.has("msg")) {
      throw refusal(call, printed, output);
    }
    throw new PluginException(
        call,
        Kind.MALFORMED,
        "failed with "
            + exit(output.exitCode())
            + " and printed "
            + (rubbish.isEmpty() ? "no error: " + head(output.stdout()) : rubbish)
            + said(output),
        null);
  }

  private static PluginException refusal(PluginCall call, ObjectNode error, Output output) {
    int code = error.path("code").asInt();
    String details = error.path("details").asText("");
    return new PluginException(
        call,
        Kind.REFUSED,
        code,
        "failed: "
            + shorten(error.path("msg").asText(""))
            + (details.isEmpty() ? "" : ": " + shorten(details))
            + " (code "
            + code
            + ")"
            + said(output),
        null);
  }

  private static String exit(int code) {
    return code > 128
        ? "exit code " + code + " (signal " + (code - 128) + ")"
        : "exit code " + code;
  }

  private static String said(Output output) {
    String tail = tail(output.stderr());
    return tail.isEmpty() ? "" : "; stderr: " + tail;
  }

  private static String tail(byte[] text) {
    int from = Math.max(0, text.length - TAIL);
    String tail = printable(new String(text, from, text.length - from, StandardCharsets.UTF_8));
    return from == 0 ? tail : "…" + tail;
  }

  private static String head(byte[] text) {
    String head =
        printable(new String(text, 0, Math.min(text.length, TAIL), StandardCharsets.UTF_8));
    return "\"" + head + (text.length > TAIL ? "…\"" : "\"");
  }

  private static String printable(String text) {
    return CONTROL.matcher(text.strip()).replaceAll("?");
  }

  private static String shorten(String text) {
    return printable(text.length() <= TAIL ? text : text.substring(0, TAIL) + "…");
  }
}
