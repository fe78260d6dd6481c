package io.keelson.runtime.nri.ttrpc;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Puts messages together from the pieces in which they arrive. One thread uses it; it holds at most
 * one message.
 */
final class MessageAssembler {

  private final ByteBuffer header = ByteBuffer.allocate(Message.HEADER);
  private @Nullable ByteBuffer payload;

  /**
   * Takes a piece of the stream.
   *
   * @param complete gets each message that this piece completes
   * @throws IOException if a message is longer than ttrpc allows
   */
  void take(ByteBuffer piece, Consumer<Message> complete) throws IOException {
    while (piece.hasRemaining() || isComplete()) {
      if (payload == null) {
        move(piece, header);
        if (!header.hasRemaining()) {
          payload = allocate();
        }
      } else {
        move(piece, payload);
      }
      ByteBuffer current = payload;
      if (current != null && !current.hasRemaining()) {
        Message message = new Message(header.getInt(4), header.get(8), current.flip());
        header.clear();
        payload = null;
        complete.accept(message);
      }
    }
  }

  private boolean isComplete() {
    return payload != null && !payload.hasRemaining();
  }

  private ByteBuffer allocate() throws IOException {
    int length = header.getInt(0);
    if (length < 0 || length > Message.MAX_PAYLOAD) {
      throw new IOException(
          "a message of %s bytes; %d are allowed"
              .formatted(Integer.toUnsignedString(length), Message.MAX_PAYLOAD));
    }
    return ByteBuffer.allocate(length);
  }

  private static void move(ByteBuffer from, ByteBuffer to) {
    int count = Math.min(from.remaining(), to.remaining());
    to.put(from.slice(from.position(), count));
    from.position(from.position() + count);
  }
}
