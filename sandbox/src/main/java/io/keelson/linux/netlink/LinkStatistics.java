package io.keelson.linux.netlink;

import java.nio.ByteBuffer;
import java.util.Optional;

/** What a link has received and sent since it was made, in bytes and packets. */
public record LinkStatistics(
    long receivedBytes,
    long receivedPackets,
    long receiveErrors,
    long receiveDropped,
    long sentBytes,
    long sentPackets,
    long sendErrors,
    long sendDropped) {

  private static final int FIELDS = 8;

  /** struct rtnl_link_stats64. */
  static Optional<LinkStatistics> decode(ByteBuffer value) {
    if (value.remaining() < FIELDS * Long.BYTES) {
      return Optional.empty();
    }
    long receivedPackets = value.getLong();
    long sentPackets = value.getLong();
    long receivedBytes = value.getLong();
    long sentBytes = value.getLong();
    long receiveErrors = value.getLong();
    long sendErrors = value.getLong();
    long receiveDropped = value.getLong();
    long sendDropped = value.getLong();
    return Optional.of(
        new LinkStatistics(
            receivedBytes,
            receivedPackets,
            receiveErrors,
            receiveDropped,
            sentBytes,
            sentPackets,
            sendErrors,
            sendDropped));
  }
}
