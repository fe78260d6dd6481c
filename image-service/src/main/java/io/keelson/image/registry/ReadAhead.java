package io.keelson.image.registry;

import io.keelson.image.Cancellation;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * Reads a stream ahead on a virtual thread. There, and only there, a read that waits for a server
 * can be interrupted: cancelling and closing end it at once. For one reader.
 */
final class ReadAhead extends InputStream {

  private static final int BLOCKS = 4;
  private static final int BLOCK_SIZE = 128 * 1024;

  private final InputStream source;
  private final BlockingQueue<Block> free = new ArrayBlockingQueue<>(BLOCKS);
  private final BlockingQueue<Block> full = new ArrayBlockingQueue<>(BLOCKS + 1);
  private final Thread thread;
  private @Nullable Block current;
  private int position;

  private static final class Block {
    private final byte[] data;
    private int length;
    private @Nullable Throwable failure;

    Block(byte[] data) {
      this.data = data;
    }
  }

  private ReadAhead(InputStream source) {
    this.source = source;
    for (int i = 0; i < BLOCKS; i++) {
      free.add(new Block(new byte[BLOCK_SIZE]));
    }
    this.thread = Thread.ofVirtual().name("image-download").unstarted(this::run);
  }

  /** Begins to read; the source belongs to the result from then on. */
  static InputStream start(InputStream source, Cancellation cancellation) {
    ReadAhead stream = new ReadAhead(source);
    stream.thread.start();
    cancellation.onCancel(stream.thread::interrupt);
    return stream;
  }

  private void run() {
    Block end = new Block(new byte[0]);
    try (source) {
      while (true) {
        Block block = free.take();
        block.length = source.readNBytes(block.data, 0, BLOCK_SIZE);
        if (block.length == 0) {
          break;
        }
        full.put(block);
      }
    } catch (IOException | RuntimeException | Error e) {
      end.failure = e;
    } catch (InterruptedException e) {
      end.failure = new CancellationException("the download was ended");
    }
    // There is room for one more than go round, so that this never waits.
    full.add(end);
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  private static IOException asIoException(Throwable failure) {
    if (failure instanceof IOException e) {
      return e;
    }
    if (failure instanceof RuntimeException e) {
      throw e;
    }
    if (failure instanceof Error e) {
      throw e;
    }
    return new IOException(failure);
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    Block block = current == null ? next() : current;
    if (block.data.length == 0) {
      if (block.failure == null) {
        return -1;
      }
      throw asIoException(block.failure);
    }
    int count = Math.min(length, block.length - position);
    System.arraycopy(block.data, position, target, offset, count);
    position += count;
    if (position == block.length) {
      free.add(block);
      current = null;
    }
    return count;
  }

  private Block next() throws InterruptedIOException {
    try {
      Block block = full.take();
      current = block;
      position = 0;
      return block;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      InterruptedIOException interrupted = new InterruptedIOException("the reader was interrupted");
      interrupted.initCause(e);
      throw interrupted;
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
