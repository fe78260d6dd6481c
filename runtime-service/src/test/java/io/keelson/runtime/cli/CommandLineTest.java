package io.keelson.runtime.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.stub.StreamObserver;
import io.keelson.proto.cri.v1.Container;
import io.keelson.proto.cri.v1.ContainerMetadata;
import io.keelson.proto.cri.v1.ContainerState;
import io.keelson.proto.cri.v1.ContainerStatus;
import io.keelson.proto.cri.v1.ContainerStatusRequest;
import io.keelson.proto.cri.v1.ContainerStatusResponse;
import io.keelson.proto.cri.v1.ExecSyncRequest;
import io.keelson.proto.cri.v1.ExecSyncResponse;
import io.keelson.proto.cri.v1.ListContainersRequest;
import io.keelson.proto.cri.v1.ListContainersResponse;
import io.keelson.proto.cri.v1.ListPodSandboxRequest;
import io.keelson.proto.cri.v1.ListPodSandboxResponse;
import io.keelson.proto.cri.v1.PodSandbox;
import io.keelson.proto.cri.v1.PodSandboxMetadata;
import io.keelson.proto.cri.v1.RuntimeServiceGrpc.RuntimeServiceImplBase;
import io.keelson.runtime.server.CallInterceptor;
import io.keelson.runtime.server.ReadinessGate;
import io.keelson.runtime.server.SocketServer;
import io.keelson.sandbox.error.FailedPreconditionException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands against a daemon of which only the answers are made up. */
class CommandLineTest {

  private static final String FIRST = "aaaa1111" + "0".repeat(56);
  private static final String SECOND = "aaaa2222" + "0".repeat(56);
  private static final String POD = "bbbb1111" + "0".repeat(56);

  @TempDir private Path folder;

  private final FakeDaemon daemon = new FakeDaemon();
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private SocketServer server;

  private static final class FakeDaemon extends RuntimeServiceImplBase {
    final List<Container> containers = new ArrayList<>();
    final List<ExecSyncRequest> execs = new ArrayList<>();
    String logPath = "";

    @Override
    public void listContainers(
        ListContainersRequest request, StreamObserver<ListContainersResponse> answers) {
      answers.onNext(ListContainersResponse.newBuilder().addAllContainers(containers).build());
      answers.onCompleted();
    }

    @Override
    public void listPodSandbox(
        ListPodSandboxRequest request, StreamObserver<ListPodSandboxResponse> answers) {
      answers.onNext(
          ListPodSandboxResponse.newBuilder()
              .addItems(
                  PodSandbox.newBuilder()
                      .setId(POD)
                      .setMetadata(
                          PodSandboxMetadata.newBuilder().setName("shop").setNamespace("prod")))
              .build());
      answers.onCompleted();
    }

    @Override
    public void containerStatus(
        ContainerStatusRequest request, StreamObserver<ContainerStatusResponse> answers) {
      answers.onNext(
          ContainerStatusResponse.newBuilder()
              .setStatus(
                  ContainerStatus.newBuilder()
                      .setId(request.getContainerId())
                      .setState(ContainerState.CONTAINER_EXITED)
                      .setExitCode(3)
                      .setLogPath(logPath))
              .build());
      answers.onCompleted();
    }

    @Override
    public void execSync(ExecSyncRequest request, StreamObserver<ExecSyncResponse> answers) {
      if (request.getCmd(0).equals("refused")) {
        throw new FailedPreconditionException("the container does not run");
      }
      execs.add(request);
      answers.onNext(
          ExecSyncResponse.newBuilder()
              .setExitCode(42)
              .setStdout(com.google.protobuf.ByteString.copyFromUtf8("to out"))
              .setStderr(com.google.protobuf.ByteString.copyFromUtf8("to err"))
              .build());
      answers.onCompleted();
    }

    void add(String id, String name, ContainerState state, long createdAt) {
      containers.add(
          Container.newBuilder()
              .setId(id)
              .setPodSandboxId(POD)
              .setMetadata(ContainerMetadata.newBuilder().setName(name))
              .setState(state)
              .setCreatedAt(createdAt)
              .build());
    }
  }

  @BeforeEach
  void serve() throws IOException {
    ReadinessGate gate = new ReadinessGate();
    gate.open();
    server =
        SocketServer.start(
            new SocketServer.Settings(socket(), "root", 1 << 20),
            new CallInterceptor(gate),
            List.of(daemon));
  }

  @AfterEach
  void end() throws IOException {
    server.close();
  }

  @Test
  void psListsWhatRunsAndWithAllTheExitCodesToo() {
    daemon.add(FIRST, "web", ContainerState.CONTAINER_RUNNING, 1);
    daemon.add(SECOND, "job", ContainerState.CONTAINER_EXITED, 1);

    assertThat(keelson("ps")).isZero();
    assertThat(out.toString(StandardCharsets.UTF_8))
        .contains("CONTAINER")
        .contains("aaaa111100000   web    shop   running")
        .doesNotContain("job");
    out.reset();
    assertThat(keelson("ps", "-a")).isZero();
    assertThat(out.toString(StandardCharsets.UTF_8)).contains("job").contains("exited 3");
  }

  @Test
  void theSocketMayBeNamedBeforeTheCommandToo() {
    daemon.add(FIRST, "web", ContainerState.CONTAINER_RUNNING, 1);

    assertThat(run("--socket", socket().toString(), "ps")).isZero();
    assertThat(out.toString(StandardCharsets.UTF_8)).contains("aaaa111100000");
    assertThat(run("--socket", "/no/such/keelson.sock", "exec", "web", "ps", "--socket"))
        .isEqualTo(125);
    assertThat(err.toString(StandardCharsets.UTF_8)).contains("/no/such/keelson.sock");
  }

  @Test
  void jsonIsAListOfMessages() {
    daemon.add(FIRST, "web", ContainerState.CONTAINER_RUNNING, 1);

    assertThat(keelson("ps", "-o", "json")).isZero();

    assertThat(out.toString(StandardCharsets.UTF_8))
        .startsWith("[{")
        .contains("\"podSandboxId\": \"" + POD + "\"");
  }

  @Test
  void execGivesTheCommandsStreamsAndExitCodeAndLeavesItsOptionsAlone() {
    daemon.add(FIRST, "web", ContainerState.CONTAINER_RUNNING, 1);

    assertThat(keelson("exec", "--timeout", "9", "web", "ls", "-l", "--help", "/")).isEqualTo(42);

    assertThat(out).hasToString("to out");
    assertThat(err).hasToString("to err");
    assertThat(daemon.execs.getFirst().getContainerId()).isEqualTo(FIRST);
    assertThat(daemon.execs.getFirst().getCmdList()).containsExactly("ls", "-l", "--help", "/");
  }

  @Test
  void whatKeelsonItselfCannotDoIsNotMistakenForTheCommandsExitCode() {
    daemon.add(FIRST, "web", ContainerState.CONTAINER_RUNNING, 1);

    assertThat(keelson("exec", "--timeout", "9", "web", "refused")).isEqualTo(125);
    assertThat(err).hasToString("keelson: the container does not run\n");
    assertThat(keelson("exec", "nobody", "true")).isEqualTo(125);
  }

  @Test
  void aContainerIsFoundByNameByPodByPathAndByTheBeginningOfItsId() {
    daemon.add(FIRST, "web", ContainerState.CONTAINER_RUNNING, 1);

    for (String name : List.of("web", "shop", "shop/web", "prod/shop", "aaaa", FIRST)) {
      assertThat(keelson("exec", "--timeout", "9", name, "true")).as(name).isEqualTo(42);
    }
    assertThat(daemon.execs).allMatch(e -> e.getContainerId().equals(FIRST));
  }

  @Test
  void ofSeveralAttemptsTheNewestIsMeant() {
    daemon.add(FIRST, "web", ContainerState.CONTAINER_EXITED, 1);
    daemon.add(SECOND, "web", ContainerState.CONTAINER_RUNNING, 2);

    keelson("exec", "--timeout", "9", "web", "true");

    assertThat(daemon.execs.getFirst().getContainerId()).isEqualTo(SECOND);
  }

  @Test
  void aNameThatFitsSeveralIsRefused() {
    daemon.add(FIRST, "web", ContainerState.CONTAINER_RUNNING, 1);
    daemon.add(SECOND, "job", ContainerState.CONTAINER_RUNNING, 1);

    assertThat(keelson("inspect", "aaaa")).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString(StandardCharsets.UTF_8))
        .contains("fits several containers")
        .contains("aaaa111100000, aaaa222200000");
  }

  @Test
  void logsArePrintedFromTheFileThatTheStatusNames() throws IOException {
    daemon.add(FIRST, "web", ContainerState.CONTAINER_RUNNING, 1);
    daemon.logPath = folder.resolve("0.log").toString();
    Files.writeString(
        folder.resolve("0.log"), "T stdout F one\nT stderr F two\nT stdout F three\n");

    assertThat(keelson("logs", "-f", "web")).isZero(); // -f ends, since the container has ended
    assertThat(out).hasToString("one\nthree\n");
    assertThat(err).hasToString("two\n");

    out.reset();
    assertThat(keelson("logs", "--tail", "1", "web")).isZero();
    assertThat(out).hasToString("three\n");

    Files.delete(folder.resolve("0.log"));
    assertThat(keelson("logs", "web")).isEqualTo(ExitCode.NOT_FOUND);
  }

  @Test
  void exitCodesTellWhatIsWrong() {
    assertThat(keelson("logs", "nobody")).isEqualTo(ExitCode.NOT_FOUND);
    assertThat(keelson("ps", "--no-such-option")).isEqualTo(ExitCode.USAGE);
    assertThat(keelson("no-such-command")).isEqualTo(ExitCode.USAGE);
    assertThat(keelson("status")).isEqualTo(ExitCode.FAILED); // the fake does not know the call
    err.reset();
    assertThat(run("ps", "--socket", "/no/such/keelson.sock")).isEqualTo(ExitCode.UNREACHABLE);
    assertThat(err)
        .hasToString(
            "keelson: no daemon serves /no/such/keelson.sock; start it with \"keelson serve\", or"
                + " name its socket with --socket\n");
  }

  @Test
  void theSocketOfADaemonThatDiedIsToldAsSuch() throws IOException {
    server.close();
    try (var dead =
        java.nio.channels.ServerSocketChannel.open(java.net.StandardProtocolFamily.UNIX)) {
      dead.bind(java.net.UnixDomainSocketAddress.of(socket()));
    }

    assertThat(keelson("ps")).isEqualTo(ExitCode.UNREACHABLE);
    assertThat(err.toString(StandardCharsets.UTF_8))
        .startsWith("keelson: the daemon does not answer on its socket")
        .contains("keelson serve");
  }

  @Test
  void theHelpListsEveryCommandAndEachHasItsOwn() {
    assertThat(run("--help")).isZero();
    String help = out.toString(StandardCharsets.UTF_8);
    for (String command :
        List.of(
            "serve",
            "status",
            "version",
            "config",
            "pull",
            "import",
            "images",
            "rmi",
            "run",
            "pods",
            "ps",
            "logs",
            "exec",
            "attach",
            "port-forward",
            "inspect",
            "stop",
            "rm",
            "bench",
            "nri")) {
      assertThat(help).containsPattern("(?m)^  " + command + " ");
      out.reset();
      assertThat(run(command, "--help")).as(command).isZero();
      assertThat(out.toString(StandardCharsets.UTF_8))
          .containsPattern("^Usage: keelson .*" + command + " ");
    }
  }

  @Test
  void theDefaultConfigurationIsPrinted() {
    assertThat(run("config", "default")).isZero();
    assertThat(out.toString(StandardCharsets.UTF_8)).contains("#root = \"/var/lib/keelson\"");
  }

  private Path socket() {
    return folder.resolve("s");
  }

  /** With the test's socket, put where a command takes it. */
  private int keelson(String command, String... arguments) {
    List<String> all = new ArrayList<>(List.of(command, "--socket", socket().toString()));
    all.addAll(List.of(arguments));
    return run(all.toArray(String[]::new));
  }

  private int run(String... arguments) {
    Terminal terminal =
        new Terminal(
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            false);
    return Main.run(terminal, arguments);
  }
}
