package io.keelson.image.pull;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Lends pipes, and lends them again: as garbage, the buffers of one layer after the other would
 * grow the heap by all of them. Keeps none once none is lent. Safe for use by many threads.
 */
final class BlockPipes {

  private final Deque<BlockPipe> spare = new ArrayDeque<>();
  private int lent;

  synchronized BlockPipe lend() {
    lent++;
    BlockPipe kept = spare.poll();
    return kept == null ? new BlockPipe() : kept;
  }

  /** Takes a pipe back that nobody reads or writes any more. */
  synchronized void giveBack(BlockPipe pipe) {
    lent--;
    if (lent == 0) {
      spare.clear();
    } else if (pipe.isWhole()) {
      spare.push(pipe);
    }
  }
}
