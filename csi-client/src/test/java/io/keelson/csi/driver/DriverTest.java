package io.keelson.csi.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.keelson.proto.csi.v1.IdentityGrpc;
import io.keelson.proto.csi.v1.ProbeRequest;
import io.keelson.proto.csi.v1.ProbeResponse;
import io.keelson.sandbox.error.DeadlineExceededException;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.error.UnavailableException;
import io.keelson.sandbox.rpc.UnixChannels;
import io.keelson.sandbox.rpc.UnixServer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class DriverTest {

  private static final CallPolicy POLICY =
      new CallPolicy(
          Duration.ofSeconds(5),
          Duration.ofSeconds(20),
          Duration.ofMillis(1),
          Duration.ofMillis(10),
          CallPolicy.COURTESY);

  @TempDir Path folder;

  private final UnixChannels channels = new UnixChannels();
  private final Queue<Status> failures = new ConcurrentLinkedQueue<>();
  private final AtomicInteger calls = new AtomicInteger();
  private final List<String> codes = new ArrayList<>();
  private UnixServer server;
  private Driver driver;

  @BeforeEach
  void start() throws IOException {
    Path socket = folder.resolve("csi.sock");
    server = UnixServer.start(socket, List.of(new Identity()));
    driver =
        new Driver(
            "d",
            new Endpoint.UnixSocket(socket),
            Driver.Origin.CONFIGURATION,
            channels.open(socket),
            POLICY,
            (name, method, code, duration) -> codes.add(code));
  }

  @AfterEach
  void end() throws IOException {
    driver.close();
    server.close();
    channels.close();
  }

  @Test
  void whatMayPassIsAskedAgainAndEachTryIsTold() {
    failures.addAll(List.of(Status.ABORTED, Status.RESOURCE_EXHAUSTED, Status.UNAVAILABLE));
    List<String> steps = new ArrayList<>();

    probe(Operation.of(Duration.ofSeconds(20), (step, attempt, _) -> steps.add(step + attempt)));

    assertThat(steps).containsExactly("Probe1", "Probe2", "Probe3", "Probe4");
    assertThat(codes).containsExactly("ABORTED", "RESOURCE_EXHAUSTED", "UNAVAILABLE", "OK");
  }

  @Test
  void aRefusalIsNotAskedAgain() {
    failures.add(Status.INTERNAL);
    assertThatThrownBy(() -> probe(Operation.of(Duration.ofSeconds(20), Operation.Listener.NONE)))
        .isInstanceOf(OperationFailedException.class);
    assertThat(calls).hasValue(1);
  }

  @Test
  void aLookIsMadeOnce() {
    failures.add(Status.ABORTED);
    assertThatThrownBy(() -> probe(Operation.once(Duration.ofSeconds(20))))
        .isInstanceOf(UnavailableException.class);
    assertThat(calls).hasValue(1);
  }

  @Test
  void triesEndWithTheOperationsTime() {
    probe(Operation.once(Duration.ofSeconds(20))); // connects
    for (int i = 0; i < 10_000; i++) {
      failures.add(Status.ABORTED);
    }
    long began = System.nanoTime();
    assertThatThrownBy(() -> probe(Operation.of(Duration.ofSeconds(1), Operation.Listener.NONE)))
        .isInstanceOfAny(UnavailableException.class, DeadlineExceededException.class);
    assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(10));
    assertThat(calls).hasValueGreaterThan(2);
  }

  /** Another driver has taken its place: who still holds this one must not wait for it. */
  @Test
  void oneThatIsClosedIsNotAskedAgain() {
    driver.close();
    long began = System.nanoTime();
    assertThatThrownBy(() -> probe(Operation.of(Duration.ofSeconds(20), Operation.Listener.NONE)))
        .isInstanceOf(KeelsonException.class);
    assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(10));
    assertThat(codes).hasSize(1);
  }

  private void probe(Operation operation) {
    driver.identity("Probe", operation, stub -> stub.probe(ProbeRequest.getDefaultInstance()));
  }

  private final class Identity extends IdentityGrpc.IdentityImplBase {
    @Override
    public void probe(ProbeRequest request, StreamObserver<ProbeResponse> answers) {
      calls.incrementAndGet();
      Status failure = failures.poll();
      if (failure != null) {
        answers.onError(failure.asRuntimeException());
      } else {
        answers.onNext(ProbeResponse.getDefaultInstance());
        answers.onCompleted();
      }
    }
  }
}
