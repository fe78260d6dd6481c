package io.keelson.runtime.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.proto.node.v1.ImageProgress;
import io.keelson.proto.node.v1.ImageProgress.Phase;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a person sees of a pull, and what a log does. */
class ProgressViewTest {

  private static final String A = "sha256:" + "a".repeat(64);
  private static final String B = "sha256:" + "b".repeat(64);
  private static final String UP_A_LINE = "\u001b[1A";
  private static final String CLEAR = "\u001b[2K";

  private static final List<ImageProgress> PULL =
      List.of(
          progress("", Phase.PHASE_RESOLVING, 0, 4 << 20),
          progress(A, Phase.PHASE_EXISTS, 0, 0),
          progress(B, Phase.PHASE_FETCHING, 1 << 20, 4 << 20),
          progress(B, Phase.PHASE_UNPACKING, 4 << 20, 4 << 20),
          progress(B, Phase.PHASE_DONE, 0, 0),
          ImageProgress.newBuilder().setPhase(Phase.PHASE_DONE).addImageIds("sha256:id").build());

  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  private static ImageProgress progress(String digest, Phase phase, long done, long total) {
    return ImageProgress.newBuilder()
        .setDigest(digest)
        .setPhase(phase)
        .setDoneBytes(done)
        .setTotalBytes(total)
        .build();
  }

  private List<String> show(boolean interactive, List<ImageProgress> progress) {
    PrintStream stream = new PrintStream(err, true, StandardCharsets.UTF_8);
    return new ProgressView(new Terminal(stream, stream, interactive), "pulling app")
        .show(progress.iterator());
  }

  private String shown() {
    return err.toString(StandardCharsets.UTF_8);
  }

  @Test
  void aPersonSeesABarForEachLayerThatIsLeft() {
    assertThat(show(true, PULL)).containsExactly("sha256:id");
    assertThat(shown())
        .contains("pulling app: 1 of 2 layers")
        .contains("bbbbbbbbbbbbb [======                  ]")
        .contains("bbbbbbbbbbbbb [========================] unpacking")
        .contains("pulling app: 2 of 2 layers")
        .doesNotContain("aaaaaaaaaaaaa [");
    assertThat(shown()).as("nothing is left on the screen").endsWith(CLEAR + "\n" + UP_A_LINE);
  }

  @Test
  void aLogGetsALineAtTheEndOfEachLayer() {
    assertThat(show(false, PULL)).containsExactly("sha256:id");
    assertThat(shown().lines())
        .containsExactly("aaaaaaaaaaaaa: was here", "bbbbbbbbbbbbb: done, " + Units.size(4 << 20));
  }

  @Test
  void anEndWithoutAnImageIsAFailure() {
    assertThatThrownBy(() -> show(false, PULL.subList(0, 3)))
        .isInstanceOf(CommandException.class)
        .hasMessageContaining("pulling app");
  }
}
