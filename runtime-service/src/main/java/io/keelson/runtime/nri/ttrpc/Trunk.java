package io.keelson.runtime.nri.ttrpc;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * One socket that several connections share: each piece of data has a header of eight bytes before
 * it, the connection's number and the length (32 bits each, big endian). Safe for use by many
 * threads; nobody who sends ever waits for the peer.
 */
final class Trunk implements AutoCloseable {

  private static final int HEADER = 8;
  private static final int MAX_FRAME = Message.HEADER + Message.MAX_PAYLOAD;

  /**
   * The common implementation reads a message's beginning through a buffer of this size and can't
   * take a longer frame there, while the rest of the message may come in one piece.
   */
  private static final int FIRST_FRAME = 4096;

  private record Outgoing(int connection, ByteBuffer data) {}

  private final SocketChannel channel;
  private final Consumer<IOException> onClose;
  private final BlockingQueue<Outgoing> outgoing = new LinkedBlockingQueue<>();
  private final AtomicBoolean closed = new AtomicBoolean();
  private final Thread writer;

  /**
   * Begins to send; {@link #open} begins to receive.
   *
   * @param onClose called once, with the reason
   */
  Trunk(SocketChannel channel, String name, Consumer<IOException> onClose) {
    this.channel = channel;
    this.onClose = onClose;
    this.writer = Thread.ofVirtual().name(name + "-writer").start(this::write);
  }

  /** From now on each connection's messages go to its receiver, on one thread. */
  void open(String name, Map<Integer, Consumer<Message>> receivers) {
    Thread.ofVirtual().name(name + "-reader").start(() -> read(receivers));
  }

  /** Queues a message; it is lost if the trunk closes before it is sent. */
  void send(int connection, Message message) {
    outgoing.add(new Outgoing(connection, message.encode()));
  }

  boolean isClosed() {
    return closed.get();
  }

  @Override
  public void close() {
    close(new IOException("closed"));
  }

  /** Closes the socket; what waits for it learns the reason. */
  void close(IOException reason) {
    if (closed.compareAndSet(false, true)) {
      try {
        channel.close();
      } catch (IOException e) {
        reason.addSuppressed(e);
      }
      writer.interrupt();
      onClose.accept(reason);
    }
  }

  private void write() {
    try {
      while (!closed.get()) {
        Outgoing next = outgoing.take();
        ByteBuffer data = next.data;
        int first = Math.min(data.remaining(), FIRST_FRAME);
        frame(next.connection, data.slice(0, first));
        if (data.remaining() > first) {
          frame(next.connection, data.slice(first, data.remaining() - first));
        }
      }
    } catch (IOException e) {
      close(e);
    } catch (InterruptedException e) {
      close(new IOException("interrupted", e));
    }
  }

  private void frame(int connection, ByteBuffer data) throws IOException {
    ByteBuffer header = ByteBuffer.allocate(HEADER).putInt(connection).putInt(data.remaining());
    ByteBuffer[] parts = {header.flip(), data};
    while (parts[0].hasRemaining() || parts[1].hasRemaining()) {
      channel.write(parts);
    }
  }

  private void read(Map<Integer, Consumer<Message>> receivers) {
    Map<Integer, MessageAssembler> assemblers = new HashMap<>();
    receivers.keySet().forEach(connection -> assemblers.put(connection, new MessageAssembler()));
    ByteBuffer header = ByteBuffer.allocate(HEADER);
    try {
      while (true) {
        fill(header.clear());
        int connection = header.getInt(0);
        int length = header.getInt(4);
        if (length < 0 || length > MAX_FRAME) {
          throw new IOException("a frame of " + Integer.toUnsignedString(length) + " bytes");
        }
        ByteBuffer data = ByteBuffer.allocate(length);
        fill(data);
        Consumer<Message> receiver = receivers.get(connection);
        MessageAssembler assembler = assemblers.get(connection);
        if (receiver != null && assembler != null) { // others are for future use
          assembler.take(data.flip(), receiver);
        }
      }
    } catch (IOException e) {
      close(e);
    } catch (RuntimeException e) {
      close(new IOException("a message that can't be read: " + e.getMessage(), e));
    }
  }

  private void fill(ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      if (channel.read(buffer) < 0) {
        throw new EOFException("the peer closed the connection");
      }
    }
  }
}
