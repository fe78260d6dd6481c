package io.keelson.cni.bridge;

import static io.keelson.cni.bridge.TestNode.port;

import io.keelson.proto.cri.v1.PortMapping;
import io.keelson.proto.cri.v1.Protocol;
import io.keelson.sandbox.port.PodNetwork.Pod;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Prints what attach and detach cost; run by hand, on a machine that has nothing else to do. */
final class AttachTiming {

  private static final int ROUNDS = 200;

  private AttachTiming() {}

  public static void main(String[] arguments) throws IOException {
    measure("warm-up");
    measure("without host ports");
    measure("with a host port", port(Protocol.TCP, "", 20_000, 80));
  }

  private static void measure(String title, PortMapping... ports) throws IOException {
    try (TestNode node = new TestNode()) {
      List<Pod> pods = new ArrayList<>();
      for (int round = 0; round < ROUNDS; round++) {
        PortMapping[] own = ports.clone();
        for (int i = 0; i < own.length; i++) {
          own[i] = own[i].toBuilder().setHostPort(own[i].getHostPort() + round).build();
        }
        pods.add(node.pod(round, own));
      }
      node.run(
          network -> {
            network.start();
            print(title + ": attach", pods, network::attach);
            print(title + ": detach", pods, network::detach);
          });
    }
  }

  private interface Step {
    void run(Pod pod) throws IOException;
  }

  private static void print(String title, List<Pod> pods, Step step) throws IOException {
    long[] nanos = new long[ROUNDS];
    long processorStart = processorNanos();
    for (int round = 0; round < ROUNDS; round++) {
      long start = System.nanoTime();
      step.run(pods.get(round));
      nanos[round] = System.nanoTime() - start;
    }
    long processor = (processorNanos() - processorStart) / ROUNDS;
    Arrays.sort(nanos);
    System.out.printf(
        "%s: p10 %d us, p50 %d us, p99 %d us; processor time %d us each%n",
        title,
        nanos[ROUNDS / 10] / 1000,
        nanos[ROUNDS / 2] / 1000,
        nanos[ROUNDS * 99 / 100] / 1000,
        processor / 1000);
  }

  private static long processorNanos() {
    return ProcessHandle.current().info().totalCpuDuration().map(Duration::toNanos).orElse(0L);
  }
}
