package io.keelson.image.pull;

import io.keelson.image.archive.ByteFeed;
import io.keelson.linux.Threads;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * Hands blocks from the thread that fetches and decompresses a layer to the one that checks and
 * unpacks it. A fixed number of blocks goes round, which bounds the memory and slows the faster
 * side down.
 */
final class BlockPipe {

  private static final int BLOCKS = 6;
  private static final int BLOCK_SIZE = 256 * 1024;

  private final BlockingQueue<Block> free = new ArrayBlockingQueue<>(BLOCKS);
  private final BlockingQueue<Block> full = new ArrayBlockingQueue<>(BLOCKS + 2);

  BlockPipe() {
    for (int i = 0; i < BLOCKS; i++) {
      free.add(new Block(new byte[BLOCK_SIZE]));
    }
  }

  /** Pours the stream in, to its end; the reader sees the end only after {@link #end}. */
  void pour(InputStream stream) throws IOException, InterruptedException {
    while (true) {
      Block block = free.take();
      int length = 0;
      int count = 0;
      while (length < BLOCK_SIZE
          && (count = stream.read(block.data, length, BLOCK_SIZE - length)) >= 0) {
        length += count;
      }
      block.length = length;
      if (length > 0) {
        full.put(block);
      }
      if (count < 0) {
        return;
      }
    }
  }

  /** No more comes: the end if {@code failure} is null, else what the reader is to throw. */
  void end(@Nullable Throwable failure) {
    Block last = new Block(new byte[0]);
    last.failure = failure;
    // There is room for one more than go round, so that this never waits.
    full.add(last);
  }

  /** Whether all that was poured in was read to its end, so that it can be used again. */
  boolean isWhole() {
    return full.isEmpty() && free.remainingCapacity() == 0;
  }

  /** What was poured in, for one thread; every block counts into {@code digest} as it comes. */
  ByteFeed reader(MessageDigest digest) {
    return new Reader(digest);
  }

  private static final class Block {
    private final byte[] data;
    private int length;
    private @Nullable Throwable failure;

    Block(byte[] data) {
      this.data = data;
    }
  }

  private final class Reader extends ByteFeed {

    private final MessageDigest digest;
    private @Nullable Block current;
    private boolean ended;

    Reader(MessageDigest digest) {
      this.digest = digest;
    }

    @Override
    protected boolean refill() throws IOException {
      if (ended) {
        return false;
      }
      try {
        if (current != null) {
          free.put(current);
          current = null;
        }
        Block block = full.take();
        if (block.data.length == 0) {
          ended = true;
          if (block.failure != null) {
            throw Thrown.asIoException(block.failure);
          }
          return false;
        }
        digest.update(block.data, 0, block.length);
        setBlock(block.data, 0, block.length);
        current = block;
        return true;
      } catch (InterruptedException e) {
        throw Threads.interrupted("unpacking was interrupted", e);
      }
    }
  }
}
