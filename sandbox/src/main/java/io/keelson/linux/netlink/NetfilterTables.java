package io.keelson.linux.netlink;

import static io.keelson.linux.netlink.NetlinkConstants.NLM_F_REQUEST;

import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import java.io.IOException;

/**
 * The tables of nftables in the calling thread's network namespace (linux/netfilter/nf_tables.h).
 */
public final class NetfilterTables {

  private static final int NFNL_SUBSYS_NFTABLES = 10;
  private static final int NFT_MSG_GETTABLE = 1;
  private static final int NFPROTO_INET = 1;
  private static final int NFTA_TABLE_NAME = 1;

  private NetfilterTables() {}

  /** Whether there is a table of that name in the family {@code inet}. */
  public static boolean exists(String name) throws IOException {
    int type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE;
    MessageWriter message = new MessageWriter(type, NLM_F_REQUEST);
    message.u8(NFPROTO_INET).u8(0).u16(0).attribute(NFTA_TABLE_NAME, name);
    try (NetlinkSocket socket = NetlinkSocket.open(NetlinkConstants.NETLINK_NETFILTER)) {
      socket.get(new Request("get table inet " + name, message));
      return true;
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT)) {
        return false;
      }
      throw e;
    }
  }
}
