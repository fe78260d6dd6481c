package io.keelson.linux.netlink;

import static io.keelson.linux.netlink.NetlinkConstants.NLM_F_ACK;
import static io.keelson.linux.netlink.NetlinkConstants.NLM_F_DUMP;
import static io.keelson.linux.netlink.NetlinkConstants.NLM_F_REQUEST;

import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * The UDP flows that connection tracking knows in the calling thread's network namespace
 * (linux/netfilter/nfnetlink_conntrack.h). A flow keeps the address translation with which it began
 * for as long as packets come, so that new rules do not reach a sender that never pauses.
 */
public final class UdpFlows {

  private static final int NFNL_SUBSYS_CTNETLINK = 1;
  private static final int IPCTNL_MSG_CT_NEW = 0;
  private static final int IPCTNL_MSG_CT_GET = 1;
  private static final int IPCTNL_MSG_CT_DELETE = 2;
  private static final int FIXED = 4;
  private static final int CTA_TUPLE_ORIG = 1;
  private static final int CTA_TUPLE_REPLY = 2;
  private static final int CTA_ID = 12;
  private static final int CTA_ZONE = 18;
  private static final int CTA_TUPLE_IP = 1;
  private static final int CTA_TUPLE_PROTO = 2;
  private static final int CTA_IP_V4_SRC = 1;
  private static final int CTA_IP_V4_DST = 2;
  private static final int CTA_IP_V6_SRC = 3;
  private static final int CTA_IP_V6_DST = 4;
  private static final int CTA_PROTO_NUM = 1;
  private static final int CTA_PROTO_DST_PORT = 3;
  private static final int IPPROTO_UDP = 17;

  private UdpFlows() {}

  /**
   * A flow, from the side of who began it.
   *
   * @param destination to which the packets are sent
   * @param port to which they are sent
   * @param receiver who gets them after address translation
   */
  public record Flow(InetAddress destination, int port, InetAddress receiver) {}

  /**
   * Makes the kernel forget flows, so that their next packets meet the rules as new ones. Reads the
   * whole table: some milliseconds for every ten thousand connections.
   *
   * @return how many were forgotten
   */
  public static int forget(Predicate<Flow> which) throws IOException {
    int forgotten = 0;
    try (NetlinkSocket socket = NetlinkSocket.open(NetlinkConstants.NETLINK_NETFILTER)) {
      MessageWriter list = message(IPCTNL_MSG_CT_GET, NLM_F_REQUEST | NLM_F_DUMP, 0);
      for (Datagram.Message entry : socket.dump(new Request("list connections", list))) {
        if (entry.type() != type(IPCTNL_MSG_CT_NEW)) {
          continue;
        }
        Optional<Flow> flow = decode(entry).filter(which);
        if (flow.isPresent() && delete(socket, entry, flow.get())) {
          forgotten++;
        }
      }
    }
    return forgotten;
  }

  /** Empty for what is no UDP flow. */
  static Optional<Flow> decode(Datagram.Message message) throws MalformedMessageException {
    Attributes attributes = message.attributes(FIXED);
    Attributes original = attributes.nested(CTA_TUPLE_ORIG);
    Attributes protocol = original.nested(CTA_TUPLE_PROTO);
    boolean udp =
        protocol
            .buffer(CTA_PROTO_NUM)
            .filter(number -> number.hasRemaining() && number.get(0) == IPPROTO_UDP)
            .isPresent();
    Optional<ByteBuffer> port =
        protocol.buffer(CTA_PROTO_DST_PORT).filter(value -> value.remaining() >= Short.BYTES);
    Optional<InetAddress> destination =
        address(original.nested(CTA_TUPLE_IP), CTA_IP_V4_DST, CTA_IP_V6_DST);
    Optional<InetAddress> receiver =
        address(
            attributes.nested(CTA_TUPLE_REPLY).nested(CTA_TUPLE_IP), CTA_IP_V4_SRC, CTA_IP_V6_SRC);
    if (!udp || port.isEmpty() || destination.isEmpty() || receiver.isEmpty()) {
      return Optional.empty();
    }
    int number = port.get().order(ByteOrder.BIG_ENDIAN).getShort(0) & 0xffff;
    return Optional.of(new Flow(destination.get(), number, receiver.get()));
  }

  private static Optional<InetAddress> address(Attributes tuple, int ipv4, int ipv6)
      throws MalformedMessageException {
    return tuple.has(ipv4) ? tuple.address(ipv4) : tuple.address(ipv6);
  }

  private static boolean delete(NetlinkSocket socket, Datagram.Message entry, Flow flow)
      throws IOException {
    Attributes attributes = entry.attributes(FIXED);
    int family = entry.fixed(FIXED).get(0);
    MessageWriter message = message(IPCTNL_MSG_CT_DELETE, NLM_F_REQUEST | NLM_F_ACK, family);
    for (int type : new int[] {CTA_TUPLE_ORIG, CTA_ZONE, CTA_ID}) {
      int flag = type == CTA_TUPLE_ORIG ? NetlinkConstants.NLA_F_NESTED : 0;
      attributes.bytes(type).ifPresent(value -> message.attribute(type | flag, value));
    }
    try {
      socket.execute(List.of(new Request("forget " + flow, message)));
      return true;
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT)) {
        return false;
      }
      throw e;
    }
  }

  private static MessageWriter message(int kind, int flags, int family) {
    return new MessageWriter(type(kind), flags).u8(family).u8(0).u16(0);
  }

  private static int type(int kind) {
    return (NFNL_SUBSYS_CTNETLINK << 8) | kind;
  }
}
