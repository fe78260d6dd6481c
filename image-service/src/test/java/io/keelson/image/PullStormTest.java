package io.keelson.image;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.image.fixture.LayerTar;
import io.keelson.image.fixture.MemoryFolders;
import io.keelson.image.fixture.TestImage;
import io.keelson.image.fixture.TestRegistry;
import io.keelson.image.registry.RegistrySettings;
import io.keelson.image.request.Cancellation;
import io.keelson.image.request.PullProgress;
import io.keelson.image.request.PullRequest;
import io.keelson.image.request.RegistryCredentials;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Pulls of a registry that goes away at any moment, by callers who go away, too, and by such whose
 * way of hearing how it goes on breaks. {@code -Dkeelson.storms=500} for many.
 */
@Timeout(300)
class PullStormTest {

  private static final int STORMS = Integer.getInteger("keelson.storms", 12);
  private static final long SEED = Long.getLong("keelson.seed", System.nanoTime());
  private static final int LAYERS = 6;

  @TempDir(factory = MemoryFolders.class)
  Path root;

  private final Random random = new Random(SEED);
  private final AtomicBoolean away = new AtomicBoolean();
  private TestRegistry registry;
  private TestImage image;
  private String reference;
  private Images images;

  @BeforeEach
  void open() throws IOException {
    LayerTar[] layers = new LayerTar[LAYERS];
    for (int i = 0; i < LAYERS; i++) {
      byte[] noise = new byte[300_000];
      random.nextBytes(noise);
      layers[i] = new LayerTar().folder("d/", 0755).file("d/" + i, 0644, noise, entry -> {});
    }
    image = TestImage.of(layers);
    registry = new TestRegistry();
    reference = registry.push(image, "app", "1");
    registry.gate(
        exchange -> {
          if (away.get()) {
            throw new IOException("the registry is away");
          }
          return true;
        });
    for (String layer : image.layers()) {
      registry.on(
          layer,
          (exchange, content, number) -> {
            for (int at = 0; at < content.length; at += 50_000) {
              if (away.get()) {
                throw new IOException("the registry has gone in the middle");
              }
              if (at == 0) {
                exchange.sendResponseHeaders(200, content.length);
              }
              exchange.getResponseBody().write(content, at, Math.min(50_000, content.length - at));
            }
          });
    }
    // Said to be plain, lest a hang-up is taken for one that wants TLS.
    RegistrySettings registries =
        RegistrySettings.of(Set.of(registry.address()), Optional.empty(), List.of(), List.of())
            .withFirstPause(Duration.ofMillis(2));
    images = Images.open(ImageSettings.defaults(root).withRegistries(registries));
  }

  @AfterEach
  void close() throws IOException {
    images.close();
    registry.close();
  }

  @Test
  void whatFailsLeavesNothingAndWhatDoesNotIsWhole() throws Exception {
    for (int storm = 0; storm < STORMS; storm++) {
      String when = "storm %d of seed %d".formatted(storm, SEED);
      away.set(false);
      boolean pulled = storm();
      assertThat(images.list()).as(when).hasSize(pulled ? 1 : 0);
      awaitEntries("ingest", 0, when);
      awaitEntries("layers", pulled ? LAYERS : 0, when);
      away.set(false);
      assertThat(images.pull(PullRequest.of(reference))).as(when).isEqualTo(image.id());
      images.remove(reference);
      awaitEntries("layers", 0, when);
    }
  }

  /** Whether one of the callers got the image. */
  private boolean storm() throws Exception {
    int calls = 1 + random.nextInt(3);
    List<Cancellation> cancellations = new ArrayList<>();
    List<Future<String>> pulls = new ArrayList<>();
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < calls; i++) {
        Cancellation cancellation = new Cancellation();
        PullProgress progress = random.nextBoolean() ? PullProgress.NONE : brokenAfter(20);
        cancellations.add(cancellation);
        pulls.add(
            callers.submit(
                () ->
                    images.pull(
                        new PullRequest(
                            reference, RegistryCredentials.ANONYMOUS, progress, cancellation))));
      }
      Thread.sleep(0, random.nextInt(1_000_000));
      Thread.sleep(random.nextInt(30));
      away.set(random.nextBoolean());
      for (Cancellation cancellation : cancellations) {
        if (random.nextInt(3) == 0) {
          cancellation.cancel();
        }
      }
    }
    return pulls.stream().anyMatch(pull -> pull.state() == Future.State.SUCCESS);
  }

  /** As the stream to a client that was killed. */
  private PullProgress brokenAfter(int bound) {
    int[] left = {random.nextInt(bound)};
    return new PullProgress() {
      @Override
      public void layerPresent(String layer) {
        layerDone(layer);
      }

      @Override
      public void layerReceived(String layer, long received, long total) {
        layerDone(layer);
      }

      @Override
      public synchronized void layerDone(String layer) {
        if (left[0]-- <= 0) {
          throw new CancellationException("the client has gone");
        }
      }
    };
  }

  // A caller who has gone does not wait for the work to end.
  private void awaitEntries(String part, int count, String when) throws Exception {
    for (int i = 0; ; i++) {
      try (Stream<Path> entries = Files.list(root.resolve("images").resolve(part))) {
        long found = entries.count();
        if (found == count) {
          return;
        }
        assertThat(i).as("%s: %d entries in %s", when, found, part).isLessThan(3000);
      }
      Thread.sleep(10);
    }
  }
}
