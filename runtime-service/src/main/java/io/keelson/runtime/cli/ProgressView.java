package io.keelson.runtime.cli;

import io.keelson.proto.node.v1.ImageProgress;
import io.keelson.proto.node.v1.ImageProgress.Phase;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Shows how a pull or an import goes on: one line that is drawn anew for a person, else its end
 * only.
 */
final class ProgressView {

  private final Terminal terminal;
  private final String what;
  private final Map<String, ImageProgress> layers = new LinkedHashMap<>();
  private int drawn;

  ProgressView(Terminal terminal, String what) {
    this.terminal = terminal;
    this.what = what;
  }

  /** Follows the stream to its end and gives the ids of the images. */
  List<String> show(Iterator<ImageProgress> stream) {
    List<String> ids = List.of();
    try {
      while (stream.hasNext()) {
        ImageProgress progress = stream.next();
        if (progress.getImageIdsCount() > 0) {
          ids = progress.getImageIdsList();
        } else if (!progress.getDigest().isEmpty()) {
          layers.merge(progress.getDigest(), progress, ProgressView::later);
          draw(line());
        }
      }
    } finally {
      draw("");
    }
    if (ids.isEmpty()) {
      throw CommandException.failed("the daemon ended " + what + " without a word");
    }
    return ids;
  }

  private String line() {
    long done = layers.values().stream().filter(ProgressView::isDone).count();
    long bytes = layers.values().stream().mapToLong(ImageProgress::getDoneBytes).sum();
    long total = layers.values().stream().mapToLong(ImageProgress::getTotalBytes).sum();
    return what
        + ": "
        + done
        + " of "
        + layers.size()
        + " layers, "
        + Units.size(bytes)
        + " of "
        + Units.size(total);
  }

  private void draw(String line) {
    if (terminal.interactive() && (drawn > 0 || !line.isEmpty())) {
      terminal.err().print("\r" + line + " ".repeat(Math.max(0, drawn - line.length())));
      terminal.err().print(line.isEmpty() ? "\r" : "");
      terminal.err().flush();
      drawn = line.length();
    }
  }

  /** The end of a layer tells no sizes; those known before stay. */
  private static ImageProgress later(ImageProgress before, ImageProgress now) {
    return now.getTotalBytes() > 0
        ? now
        : now.toBuilder()
            .setDoneBytes(before.getTotalBytes())
            .setTotalBytes(before.getTotalBytes())
            .build();
  }

  private static boolean isDone(ImageProgress layer) {
    return layer.getPhase() == Phase.PHASE_DONE || layer.getPhase() == Phase.PHASE_EXISTS;
  }
}
