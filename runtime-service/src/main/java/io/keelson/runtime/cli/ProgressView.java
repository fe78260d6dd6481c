package io.keelson.runtime.cli;

import io.keelson.proto.node.v1.ImageProgress;
import io.keelson.proto.node.v1.ImageProgress.Phase;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Shows how a pull or an import goes on: a bar for each layer for a person, a line at each layer's
 * end elsewhere.
 */
final class ProgressView {

  private static final int BAR = 24;
  private static final int MAX_BARS = 20;

  /** Up by a number of lines; clear the line. */
  private static final String UP = "\u001b[%dA";

  private static final String CLEAR = "\u001b[2K";

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
          layer(progress);
        }
      }
    } finally {
      draw(List.of());
    }
    if (ids.isEmpty()) {
      throw CommandException.failed("the daemon ended " + what + " without a word");
    }
    return ids;
  }

  private void layer(ImageProgress progress) {
    ImageProgress now = layers.merge(progress.getDigest(), progress, ProgressView::later);
    if (terminal.interactive()) {
      draw(lines());
    } else if (isDone(progress)) {
      terminal.err().println(name(now) + ": " + state(now));
    }
  }

  private List<String> lines() {
    List<String> lines = new ArrayList<>();
    long done = layers.values().stream().filter(ProgressView::isDone).count();
    long bytes = layers.values().stream().mapToLong(ImageProgress::getDoneBytes).sum();
    long total = layers.values().stream().mapToLong(ImageProgress::getTotalBytes).sum();
    lines.add(
        "%s: %d of %d layers, %s of %s"
            .formatted(what, done, layers.size(), Units.size(bytes), Units.size(total)));
    layers.values().stream()
        .filter(layer -> !isDone(layer))
        .limit(MAX_BARS)
        .map(layer -> "  " + name(layer) + " " + bar(layer) + " " + state(layer))
        .forEach(lines::add);
    return lines;
  }

  private static String name(ImageProgress layer) {
    return Units.shortId(layer.getDigest());
  }

  private static String bar(ImageProgress layer) {
    double part =
        layer.getTotalBytes() > 0 ? (double) layer.getDoneBytes() / layer.getTotalBytes() : 0;
    int filled = (int) Math.round(Math.clamp(part, 0.0, 1.0) * BAR);
    return "[" + "=".repeat(filled) + " ".repeat(BAR - filled) + "]";
  }

  private static String state(ImageProgress layer) {
    return switch (layer.getPhase()) {
      case PHASE_EXISTS -> "was here";
      case PHASE_DONE ->
          layer.getTotalBytes() > 0 ? "done, " + Units.size(layer.getTotalBytes()) : "done";
      case PHASE_UNPACKING -> "unpacking";
      case PHASE_FETCHING, PHASE_RESOLVING, UNRECOGNIZED ->
          layer.getTotalBytes() > 0
              ? Units.size(layer.getDoneBytes()) + " of " + Units.size(layer.getTotalBytes())
              : Units.size(layer.getDoneBytes());
    };
  }

  /** Draws over what was drawn before; nothing clears it. */
  private void draw(List<String> lines) {
    if (!terminal.interactive() || (drawn == 0 && lines.isEmpty())) {
      return;
    }
    StringBuilder text = new StringBuilder();
    if (drawn > 0) {
      text.append(UP.formatted(drawn));
    }
    for (int i = 0; i < Math.max(drawn, lines.size()); i++) {
      text.append(CLEAR).append(i < lines.size() ? lines.get(i) : "").append('\n');
    }
    int below = Math.max(drawn, lines.size()) - lines.size();
    if (below > 0) {
      text.append(UP.formatted(below));
    }
    terminal.err().print(text);
    terminal.err().flush();
    drawn = lines.size();
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
