package io.keelson.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The threads that carry virtual threads come and go with the load. One that a thread in a pod's
 * namespace starts would be in there, too, with all that it carries.
 */
class CarriersTest {

  @TempDir Path folder;

  @Test
  @Timeout(60)
  void noneIsStartedInAPodsNamespace() throws Exception {
    Path pin = folder.resolve("net");
    Namespaces.create(Map.of(NamespaceType.NET, pin), null, Map.of());
    try {
      // A machine of its own, which has no carrier yet.
      Process machine =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-Djdk.virtualThreadScheduler.parallelism=2",
                  "--enable-native-access=ALL-UNNAMED",
                  "-cp",
                  System.getProperty("java.class.path"),
                  Machine.class.getName(),
                  pin.toString())
              .redirectErrorStream(true)
              .start();
      String said = new String(machine.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

      assertThat(machine.waitFor()).as(said).isZero();
      assertThat(said).as("threads in the pod's namespace").endsWith("looked\n");
      assertThat(said.lines()).hasSize(1);
    } finally {
      Namespaces.unpin(pin);
    }
  }

  /** Says which of its threads are in another network namespace than it is itself. */
  static final class Machine {

    private static volatile boolean inside;
    private static volatile boolean spinning;
    private static volatile boolean done;

    private Machine() {}

    public static void main(String[] pin) throws Exception {
      Thread enters =
          Thread.startVirtualThread(
              () -> {
                try {
                  var _ = Namespaces.callIn(Path.of(pin[0]), NamespaceType.NET, Machine::stay);
                } catch (IOException e) {
                  throw new IllegalStateException(e);
                }
              });
      await(() -> inside);
      Thread.sleep(200); // until the only carrier has nothing to do
      // Takes it: to go on, the other one needs a new one.
      Thread spins =
          Thread.startVirtualThread(
              () -> {
                spinning = true;
                while (!done) {
                  Thread.onSpinWait();
                }
              });
      enters.join();
      Path own = Files.readSymbolicLink(Path.of("/proc/self/ns/net"));
      try (Stream<Path> threads = Files.list(Path.of("/proc/self/task"))) {
        for (Path thread : (Iterable<Path>) threads::iterator) {
          if (!Files.readSymbolicLink(thread.resolve("ns/net")).equals(own)) {
            System.out.print(Files.readString(thread.resolve("comm")));
          }
        }
      }
      System.out.print("looked\n");
      done = true;
      spins.join();
    }

    private static boolean stay() {
      inside = true;
      await(() -> spinning);
      return true;
    }

    /** By looking, for to be woken is what could start a carrier. */
    private static void await(BooleanSupplier condition) {
      while (!condition.getAsBoolean()) {
        LockSupport.parkNanos(1_000_000);
      }
    }
  }
}
