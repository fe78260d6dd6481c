package io.keelson.integration;

import static io.keelson.integration.Failures.code;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.HttpUpgrade;
import io.keelson.integration.harness.MetricsEndpoint;
import io.keelson.integration.harness.SpdyClient;
import io.keelson.integration.harness.TestNode;
import io.keelson.integration.harness.WebSocketClient;
import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.ContainerState;
import io.keelson.proto.cri.v1.ExecRequest;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Exec, Attach and PortForward, as a kubelet's clients speak them. */
class StreamingIT {

  private static final String V4 = "v4.channel.k8s.io";
  private static final String FORWARD = "portforward.k8s.io";
  private static final String SUCCESS = "{\"metadata\":{},\"status\":\"Success\"}";
  private static final int PORT = 8080;

  @RegisterExtension
  static final TestNode node =
      TestNode.create()
          .set("streaming.idle_timeout", "\"6s\"")
          .set("streaming.creation_timeout", "\"4s\"");

  private static final MetricsEndpoint METRICS = MetricsEndpoint.of(node);

  private final Cri cri = node.cri();
  private PodSandboxConfig.Builder pod = node.pod("streams");
  private String podId = "";
  private String probe = "";

  @BeforeEach
  void runPod() {
    pod = node.pod("streams");
    podId = cri.runPod(pod.build());
  }

  private String run(ContainerConfig.Builder container) {
    return cri.run(podId, container.build(), pod.build());
  }

  // Exec

  @Test
  void aCommandReadsItsInputToTheEndAndItsExitCodeIsTold() throws IOException {
    String id = run(node.sleeper("exec"));
    byte[] sent = new byte[2_000_000];
    new Random(7).nextBytes(sent);

    try (SpdyClient client =
        SpdyClient.connect(
            cri.execUrl(id, false, true, "sh", "-c", "cat; echo bad >&2; exit 3"), V4)) {
      SpdyClient.Stream error = client.openType("error");
      SpdyClient.Stream in = client.openType("stdin");
      SpdyClient.Stream out = client.openType("stdout");
      SpdyClient.Stream err = client.openType("stderr");
      client.ping();
      in.send(sent);
      in.end();

      assertThat(error.awaitEnd())
          .contains("\"reason\":\"NonZeroExitCode\"")
          .contains("{\"reason\":\"ExitCode\",\"message\":\"3\"}");
      out.awaitEnd();
      assertThat(out.bytes()).isEqualTo(sent);
      assertThat(err.awaitEnd()).isEqualTo("bad\n");
      assertThat(client.pings()).isOne();
    }
  }

  @Test
  void oldVersionsTellFailuresInWordsAndSuccessesBySilence() throws IOException {
    String id = run(node.sleeper("old"));
    for (String version : List.of("v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io")) {
      assertThat(statusOf(id, version, "true")).isEmpty();
      assertThat(statusOf(id, version, "sh", "-c", "exit 9")).contains("exit status 9");
    }
    assertThat(statusOf(id, V4, "true")).isEqualTo(SUCCESS);
    assertThat(statusOf(id, V4, "/no/such/program")).contains("InternalError", "/no/such/program");
  }

  private String statusOf(String id, String version, String... command) throws IOException {
    try (SpdyClient client = SpdyClient.connect(cri.execUrl(id, false, false, command), version)) {
      SpdyClient.Stream error = client.openType("error");
      client.openType("stdout");
      client.openType("stderr");
      return error.awaitEnd();
    }
  }

  @Test
  void aTerminalTakesTheSizeOfTheWindow() throws IOException {
    String id = run(node.sleeper("terminal"));

    try (SpdyClient client = SpdyClient.connect(cri.execUrl(id, true, true, "sh"), V4)) {
      SpdyClient.Stream error = client.openType("error");
      SpdyClient.Stream in = client.openType("stdin");
      SpdyClient.Stream out = client.openType("stdout");
      SpdyClient.Stream resize = client.openType("resize");
      resize.send("{\"Width\":101,\"Height\":41}\n");
      in.send(sizeOnceItIs("41 101"));
      out.awaitText("size 41 101");
      resize.send("{\"Width\":7");
      resize.send("9,\"Height\":25}");
      in.send(sizeOnceItIs("25 79"));
      out.awaitText("size 25 79");
      in.send("exit 5\n");

      assertThat(error.awaitEnd()).contains("\"message\":\"5\"");
    }
  }

  /** For a shell: what it reads may overtake the change of the window. */
  private static String sizeOnceItIs(String size) {
    return "until [ \"$(stty size)\" = \""
        + size
        + "\" ]; do sleep 0.05; done; echo size $(stty size)\n";
  }

  @Test
  void aTokenIsGoodForOneConnectionOfItsKind() throws IOException {
    String id = run(node.sleeper("token"));
    String url = cri.execUrl(id, false, false, "true");
    String other = cri.execUrl(id, false, false, "true");

    assertThat(url).startsWith("http://127.0.0.1:").isNotEqualTo(other);
    assertThat(answer(url, "SPDY/3.1", "X-Stream-Protocol-Version: " + V4)).isEqualTo(101);
    assertThat(answer(url, "SPDY/3.1", "X-Stream-Protocol-Version: " + V4)).isEqualTo(404);
    assertThat(answer(other.replace("/exec/", "/attach/"), "SPDY/3.1")).isEqualTo(404);
    assertThat(answer(cri.execUrl(id, false, false, "true"), "")).isEqualTo(400);
    assertThat(
            answer(
                cri.execUrl(id, false, false, "true"),
                "SPDY/3.1",
                "X-Stream-Protocol-Version: v99.channel.k8s.io"))
        .isEqualTo(403);
    assertThat(answer(url + "x/y", "SPDY/3.1")).isEqualTo(404);
  }

  private static int answer(String url, String protocol, String... headers) throws IOException {
    try (HttpUpgrade upgrade = HttpUpgrade.ask(url, protocol, List.of(headers))) {
      return upgrade.status();
    }
  }

  @Test
  void requestsThatCanNotBeServedAreRefusedAtOnce() {
    String id = run(node.sleeper("refused"));
    String created = cri.create(podId, node.sleeper("created").build(), pod.build());

    assertThat(code(() -> cri.execUrl("0123456789", false, false, "true")))
        .isEqualTo(Status.Code.NOT_FOUND);
    assertThat(code(() -> cri.execUrl(created, false, false, "true")))
        .isEqualTo(Status.Code.FAILED_PRECONDITION);
    assertThat(code(() -> cri.execUrl(id, false, false))).isEqualTo(Status.Code.INVALID_ARGUMENT);
    ExecRequest.Builder request = ExecRequest.newBuilder().setContainerId(id).addCmd("true");
    assertThat(code(() -> cri.runtime().exec(request.build())))
        .as("no stream is asked for")
        .isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(code(() -> cri.runtime().exec(request.setTty(true).setStderr(true).build())))
        .as("a terminal has no stderr")
        .isEqualTo(Status.Code.INVALID_ARGUMENT);
    cri.stopPod(podId);
    assertThat(code(() -> cri.portForwardUrl(podId))).isEqualTo(Status.Code.FAILED_PRECONDITION);
  }

  // Deadlines, and clients that vanish

  @Test
  void aClientThatOpensNoStreamsAndOneThatSaysNothingAreSentAway() throws IOException {
    String id = run(node.sleeper("slow"));

    try (SpdyClient silent = SpdyClient.connect(cri.execUrl(id, false, true, "cat"), V4);
        SpdyClient idle = SpdyClient.connect(cri.execUrl(id, false, true, "cat"), V4)) {
      idle.openType("error");
      idle.openType("stdin").send("x");
      SpdyClient.Stream out = idle.openType("stdout");
      idle.openType("stderr");
      out.awaitText("x");

      Waits.until(silent::isEnded, "the end of a connection without streams");
      Waits.until(
          () -> {
            ping(idle);
            return idle.isEnded();
          },
          "the end of an idle connection");
    }
  }

  private static void ping(SpdyClient client) {
    try {
      client.ping();
    } catch (IOException e) {
      // it has ended
    }
  }

  @Test
  void nothingIsLeftOfClientsThatVanish() throws IOException {
    String id = run(node.container("vanish", "sh", "-c", "cat").setStdin(true));
    statusOf(id, V4, "true");
    int before = openFiles();

    for (int i = 0; i < 5; i++) {
      for (boolean terminal : new boolean[] {true, false}) {
        HttpUpgrade upgrade =
            HttpUpgrade.ask(
                cri.execUrl(id, terminal, true, "sh", "-c", "echo ready; cat"),
                "SPDY/3.1",
                List.of("X-Stream-Protocol-Version: " + V4));
        SpdyClient client = new SpdyClient(upgrade.in(), upgrade.out(), () -> {});
        client.openType("error");
        client.openType("stdin");
        SpdyClient.Stream out = client.openType("stdout");
        client.openType(terminal ? "resize" : "stderr");
        out.awaitText("ready");
        upgrade.abort();
      }
      HttpUpgrade upgrade =
          HttpUpgrade.ask(
              cri.attachUrl(id, false, true),
              "SPDY/3.1",
              List.of("X-Stream-Protocol-Version: " + V4));
      upgrade.abort();
    }

    Waits.until(
        () -> cri.output(id, "ps", "-o", "args").lines().filter(l -> l.equals("cat")).count() <= 1,
        "the end of the commands, whose terminals and inputs have gone");
    Waits.until(() -> openFiles() < before + 5, "files closed, of " + before);
    assertThat(cri.status(id).getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
  }

  private static int openFiles() {
    try (Stream<Path> files = Files.list(Path.of("/proc/" + node.daemon().pid() + "/fd"))) {
      return (int) files.count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  // Attach

  @Test
  void allWhoAreAttachedSeeTheOutputAndTheLogGoesOn() throws IOException {
    String id =
        run(
            node.container("talker", "sh", "-c", "while read x; do echo got $x; done")
                .setStdin(true));

    try (SpdyClient first = SpdyClient.connect(cri.attachUrl(id, false, true), V4);
        SpdyClient second = SpdyClient.connect(cri.attachUrl(id, false, false), V4)) {
      first.openType("error");
      SpdyClient.Stream in = first.openType("stdin");
      SpdyClient.Stream out = first.openType("stdout");
      first.openType("stderr");
      second.openType("error");
      SpdyClient.Stream seen = second.openType("stdout");
      second.openType("stderr");
      Waits.until(
          () -> {
            say(in, "one\n"); // again, until both are attached
            return out.text().contains("got one") && seen.text().contains("got one");
          },
          "both see the output");
    }
    try (SpdyClient later = SpdyClient.connect(cri.attachUrl(id, false, true), V4)) {
      later.openType("error");
      SpdyClient.Stream in = later.openType("stdin");
      later.openType("stdout");
      later.openType("stderr");
      in.send("two\n");
      Waits.until(
          () -> node.log(pod, "talker").text("stdout").endsWith("got two\n"),
          "what was answered in the log");
    }
    assertThat(cri.status(id).getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
  }

  private static void say(SpdyClient.Stream to, String text) {
    try {
      to.send(text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void anInputForOnceEndsWithItsClientAndSoDoesTheAttachment() throws IOException {
    String id =
        run(
            node.container("once", "sh", "-c", "cat; echo last; exit 4")
                .setStdin(true)
                .setStdinOnce(true));

    try (SpdyClient client = SpdyClient.connect(cri.attachUrl(id, false, true), V4)) {
      SpdyClient.Stream error = client.openType("error");
      SpdyClient.Stream in = client.openType("stdin");
      SpdyClient.Stream out = client.openType("stdout");
      client.openType("stderr");
      in.send("text\n");
      out.awaitText("text");
      in.end();

      assertThat(out.awaitEnd()).isEqualTo("text\nlast\n");
      assertThat(error.awaitEnd()).isEqualTo(SUCCESS);
    }
    assertThat(cri.awaitExit(id).getExitCode()).isEqualTo(4);
  }

  @Test
  void theTerminalOfAContainerIsResizedByWhoIsAttached() throws IOException {
    String id = run(node.container("shell", "sh").setStdin(true).setTty(true));

    try (SpdyClient client = SpdyClient.connect(cri.attachUrl(id, true, true), V4)) {
      client.openType("error");
      SpdyClient.Stream in = client.openType("stdin");
      SpdyClient.Stream out = client.openType("stdout");
      client.openType("resize").send("{\"Width\":66,\"Height\":33}\n");
      in.send(sizeOnceItIs("33 66"));
      out.awaitText("size 33 66");
    }
    assertThat(cri.status(id).getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
  }

  // PortForward

  @Test
  void manyConnectionsAreForwardedAtOnceAndEachWayEndsForItself() throws IOException {
    // Answers when its input has ended, which only a half-close can tell it.
    String server = "for i in $(seq 0 9); do nc -l -p 808$i -e sh -c 'cat | wc -c' & done; wait";
    run(node.container("server", "sh", "-c", server));
    for (int i = 0; i < 10; i++) {
      awaitListening(PORT + i);
    }
    long spawns = spawns();

    try (SpdyClient client = SpdyClient.connect(cri.portForwardUrl(podId), FORWARD)) {
      List<Forwarded> all = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        all.add(forward(client, i, PORT + i));
      }
      for (int i = 0; i < all.size(); i++) {
        all.get(i).data().send("x".repeat(1000 * i + 1));
      }
      for (int i = all.size() - 1; i >= 0; i--) {
        all.get(i).data().end();
        assertThat(all.get(i).data().awaitEnd().strip())
            .as("stream %d: %s", i, all.get(i).error().text())
            .isEqualTo("" + (1000 * i + 1));
      }
    }
    assertThat(spawns()).as("programs that helped").isEqualTo(spawns);
  }

  private static long spawns() {
    return METRICS
        .get("/metrics")
        .lines()
        .filter(line -> line.startsWith("keelson_spawns_total{"))
        .mapToLong(line -> (long) Double.parseDouble(line.substring(line.lastIndexOf(' '))))
        .sum();
  }

  private record Forwarded(SpdyClient.Stream data, SpdyClient.Stream error) {}

  private static Forwarded forward(SpdyClient client, int request, int port) throws IOException {
    String[] head = {"port", "" + port, "requestid", "" + request, "streamtype", ""};
    head[5] = "error";
    SpdyClient.Stream error = client.open(head);
    error.end();
    head[5] = "data";
    return new Forwarded(client.open(head), error);
  }

  /** Asks the kernel, since a connection to find out would be one too many for some servers. */
  private void awaitListening(int port) {
    if (probe.isEmpty()) {
      probe = run(node.sleeper("probe"));
    }
    String listening = ":%04X 00000000".formatted(port);
    Waits.until(
        () ->
            cri.output(probe, "cat", "/proc/net/tcp", "/proc/net/tcp6")
                .replace("00000000000000000000000000000000", "00000000")
                .contains(listening),
        "a server on port " + port);
  }

  @Test
  void aPortWhereNobodyListensIsAnErrorInWordsAndTheConnectionGoesOn() throws IOException {
    run(node.container("server", "httpd", "-f", "-p", "" + PORT, "-h", "/www"));
    awaitListening(PORT);

    try (SpdyClient client = SpdyClient.connect(cri.portForwardUrl(podId), FORWARD)) {
      Forwarded refused = forward(client, 1, 9);
      assertThat(refused.error().awaitEnd()).contains("port 9", "refused");
      refused.data().awaitEnd();

      Forwarded served = forward(client, 2, PORT);
      served.data().send("GET / HTTP/1.0\r\n\r\n");
      assertThat(served.data().awaitEnd()).contains("hello from the pod");
      served.data().end();
      assertThat(served.error().awaitEnd()).isEmpty();
      assertThat(client.isEnded()).isFalse();
    }
  }

  @Test
  void aResetOfTheClientReachesThePodAndAStreamWithoutItsPairIsGivenUp() throws IOException {
    run(
        node.container(
            "server",
            "nc",
            "-l",
            "-p",
            "" + PORT,
            "-e",
            "sh",
            "-c",
            "echo up; cat; echo over >&2"));
    awaitListening(PORT);

    try (SpdyClient client = SpdyClient.connect(cri.portForwardUrl(podId), FORWARD)) {
      SpdyClient.Stream single = client.open("port", "80", "requestid", "7", "streamtype", "error");
      Forwarded served = forward(client, 8, PORT);
      served.data().awaitText("up");
      served.data().reset();

      Waits.until(() -> !node.log(pod, "server").lines().isEmpty(), "the end of the server");
      single.awaitReset();
    }
  }

  @Test
  void aVanishedClientTakesItsForwardedConnectionsWithIt() throws IOException {
    String server =
        run(
            node.container(
                "server", "nc", "-l", "-p", "" + PORT, "-e", "sh", "-c", "echo up; cat"));
    awaitListening(PORT);
    HttpUpgrade upgrade =
        HttpUpgrade.ask(
            cri.portForwardUrl(podId),
            "SPDY/3.1",
            List.of("X-Stream-Protocol-Version: " + FORWARD));
    SpdyClient client = new SpdyClient(upgrade.in(), upgrade.out(), () -> {});
    forward(client, 1, PORT).data().awaitText("up");
    upgrade.abort();

    cri.awaitExit(server);
  }

  // WebSocket

  @Test
  void aCommandOverWebSocketHasItsChannelsByNumber() throws IOException {
    String id = run(node.sleeper("ws"));
    String script = "cat; echo bad >&2; exit 6";

    try (WebSocketClient client =
        WebSocketClient.connect(
            cri.execUrl(id, false, true, "sh", "-c", script), "v5.channel.k8s.io")) {
      client.sendFrame(9, "ping".getBytes(StandardCharsets.US_ASCII));
      client.send(0, "to be");
      client.send(0, " echoed");
      client.send(255, new byte[] {0});
      Map<Integer, String> received = client.receiveAll();

      assertThat(received).containsEntry(1, "to be echoed").containsEntry(2, "bad\n");
      assertThat(received.get(3)).contains("NonZeroExitCode", "\"message\":\"6\"");
    }
  }

  @Test
  void olderWebSocketsTellStatusInWordsOrSendText() throws IOException {
    String id = run(node.sleeper("ws"));
    try (WebSocketClient client =
        WebSocketClient.connect(cri.execUrl(id, false, false, "sh", "-c", "exit 2"), V4)) {
      assertThat(client.receiveAll().get(3)).contains("\"message\":\"2\"");
    }
    try (WebSocketClient client =
        WebSocketClient.connect(
            cri.execUrl(id, false, false, "sh", "-c", "exit 2"), "channel.k8s.io")) {
      assertThat(client.receiveAll().get(3)).contains("exit status 2");
    }
    try (WebSocketClient client =
        WebSocketClient.connect(
            cri.execUrl(id, false, false, "echo", "plain"), "base64.channel.k8s.io")) {
      List<String> texts = new ArrayList<>();
      for (byte[] m = client.receive(); m != null; m = client.receive()) {
        texts.add(new String(m, StandardCharsets.US_ASCII));
      }
      assertThat(texts).contains("1cGxhaW4K");
    }
  }

  @Test
  void portsAreForwardedThroughAWebSocketTunnelledOrByChannel() throws IOException {
    run(node.container("server", "httpd", "-f", "-p", "" + PORT, "-h", "/www"));
    awaitListening(PORT);
    try (WebSocketClient socket =
            WebSocketClient.connect(cri.portForwardUrl(podId), "SPDY/3.1+" + FORWARD);
        SpdyClient client = socket.tunnel()) {
      Forwarded served = forward(client, 1, PORT);
      served.data().send("GET / HTTP/1.0\r\n\r\n");
      assertThat(served.data().awaitEnd()).contains("hello from the pod");
    }
    try (WebSocketClient client = WebSocketClient.connect(cri.portForwardUrl(podId, PORT), V4)) {
      client.send(0, "GET / HTTP/1.0\r\n\r\n");
      byte[] port = {0, (byte) PORT, (byte) (PORT >> 8)};
      assertThat(Objects.requireNonNull(client.receive())).isEqualTo(port);
      assertThat(client.receiveAll().get(0)).contains("hello from the pod");
    }
  }

  // The command line

  @Test
  void theCommandLineTalksToCommandsAndForwardsPorts() throws Exception {
    String id = run(node.container("server", "httpd", "-f", "-p", "" + PORT, "-h", "/www"));
    awaitListening(PORT);

    Process exec = keelson("exec", "-i", id, "sh", "-c", "cat; echo bad >&2; exit 6");
    try (OutputStream stdin = exec.getOutputStream()) {
      stdin.write("typed\n".getBytes(StandardCharsets.US_ASCII));
    }
    assertThat(exec.inputReader().readLine()).isEqualTo("typed");
    assertThat(exec.errorReader().readLine()).isEqualTo("bad");
    assertThat(exec.waitFor()).isEqualTo(6);

    Process forward = keelson("port-forward", podId, "0:" + PORT);
    try {
      String line = forward.inputReader().readLine();
      assertThat(line).startsWith("127.0.0.1:").endsWith(" -> " + podId + ":" + PORT);
      int port = Integer.parseInt(line.substring("127.0.0.1:".length(), line.indexOf(' ')));
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
        socket
            .getOutputStream()
            .write("GET / HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        socket.shutdownOutput();
        assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
            .contains("hello from the pod");
      }
    } finally {
      forward.destroy();
      forward.waitFor();
    }
  }

  private static Process keelson(String... arguments) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(node.keelson(arguments));
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    return builder.start();
  }
}
