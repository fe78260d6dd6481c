package io.keelson.runtime.nri.ttrpc;

import java.nio.ByteBuffer;

/**
 * A message of ttrpc: a header of ten bytes and a payload.
 *
 * @param stream odd, chosen by the caller; the answer bears the same
 * @param type {@link #REQUEST} or {@link #RESPONSE}; others belong to streaming calls, which NRI
 *     has none of
 */
record Message(int stream, byte type, ByteBuffer payload) {

  static final int HEADER = 10;
  static final int MAX_PAYLOAD = 4 << 20;
  static final byte REQUEST = 1;
  static final byte RESPONSE = 2;

  /** With its header, ready to be sent. */
  ByteBuffer encode() {
    ByteBuffer encoded =
        ByteBuffer.allocate(HEADER + payload.remaining())
            .putInt(payload.remaining())
            .putInt(stream)
            .put(type)
            .put((byte) 0)
            .put(payload.duplicate());
    return encoded.flip();
  }
}
