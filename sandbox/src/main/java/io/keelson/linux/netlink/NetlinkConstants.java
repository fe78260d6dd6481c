package io.keelson.linux.netlink;

/**
 * Numbers of the kernel's interface: linux/netlink.h, rtnetlink.h, if_link.h, if_addr.h, veth.h.
 */
final class NetlinkConstants {

  static final int AF_UNSPEC = 0;
  static final int AF_INET = 2;
  static final int AF_INET6 = 10;
  static final int AF_NETLINK = 16;
  static final int SOCK_RAW = 3;
  static final int SOCK_CLOEXEC = 0x80000;
  static final int MSG_TRUNC = 0x20;
  static final int SOL_SOCKET = 1;
  static final int SO_RCVTIMEO = 20;
  static final int SOL_NETLINK = 270;
  static final long SIOCGIFINDEX = 0x8933;
  static final int IFREQ_SIZE = 40;
  static final int IFREQ_INDEX = 16;
  static final int NETLINK_CAP_ACK = 10;
  static final int NETLINK_EXT_ACK = 11;
  static final int NETLINK_GET_STRICT_CHK = 12;

  static final int NETLINK_ROUTE = 0;
  static final int NETLINK_NETFILTER = 12;

  static final int NLMSG_HEADER = 16;
  static final int NLMSG_NOOP = 1;
  static final int NLMSG_ERROR = 2;
  static final int NLMSG_DONE = 3;
  static final int NLMSG_OVERRUN = 4;

  static final int NLM_F_REQUEST = 0x1;
  static final int NLM_F_MULTI = 0x2;
  static final int NLM_F_ACK = 0x4;
  static final int NLM_F_DUMP_INTR = 0x10;
  static final int NLM_F_CAPPED = 0x100;
  static final int NLM_F_ACK_TLVS = 0x200;
  static final int NLM_F_REPLACE = 0x100;
  static final int NLM_F_EXCL = 0x200;
  static final int NLM_F_CREATE = 0x400;
  static final int NLM_F_APPEND = 0x800;
  static final int NLM_F_DUMP = 0x300;

  static final int NLMSGERR_ATTR_MSG = 1;

  static final int NLA_HEADER = 4;
  static final int NLA_F_NESTED = 0x8000;
  static final int NLA_TYPE_MASK = 0x3fff;

  static final int RTM_NEWLINK = 16;
  static final int RTM_DELLINK = 17;
  static final int RTM_GETLINK = 18;
  static final int RTM_NEWADDR = 20;
  static final int RTM_DELADDR = 21;
  static final int RTM_GETADDR = 22;
  static final int RTM_NEWROUTE = 24;
  static final int RTM_DELROUTE = 25;
  static final int RTM_GETROUTE = 26;
  static final int RTM_DELLINKPROP = 109;

  static final int IFF_UP = 0x1;
  static final int IFF_NOARP = 0x80;
  static final int IFF_PROMISC = 0x100;
  static final int IFF_ALLMULTI = 0x200;
  static final int IFF_MULTICAST = 0x1000;
  static final int IFF_DYNAMIC = 0x8000;

  static final int IFLA_ADDRESS = 1;
  static final int IFLA_IFNAME = 3;
  static final int IFLA_MTU = 4;
  static final int IFLA_LINK = 5;
  static final int IFLA_MASTER = 10;
  static final int IFLA_LINKINFO = 18;
  static final int IFLA_IFALIAS = 20;
  static final int IFLA_STATS64 = 23;
  static final int IFLA_AF_SPEC = 26;
  static final int IFLA_NET_NS_FD = 28;
  static final int IFLA_NUM_TX_QUEUES = 31;
  static final int IFLA_NUM_RX_QUEUES = 32;
  static final int IFLA_PROP_LIST = 52;
  static final int IFLA_ALT_IFNAME = 53;

  static final int IFLA_INFO_KIND = 1;
  static final int IFLA_INFO_DATA = 2;

  /** IFLA_MACVLAN_MODE and IFLA_IPVLAN_MODE. */
  static final int CHILD_MODE = 1;

  static final int IFLA_INFO_SLAVE_KIND = 4;
  static final int IFLA_INFO_SLAVE_DATA = 5;
  static final int IFLA_BRPORT_MODE = 4;
  static final int IFLA_INET6_ADDR_GEN_MODE = 8;
  static final int VETH_INFO_PEER = 1;

  static final int IFA_ADDRESS = 1;
  static final int IFA_LOCAL = 2;
  static final int IFA_LABEL = 3;
  static final int IFA_BROADCAST = 4;
  static final int IFA_CACHEINFO = 6;
  static final int IFA_FLAGS = 8;
  static final int IFA_RT_PRIORITY = 9;
  static final int IFA_PROTO = 11;
  static final int IFA_F_TEMPORARY = 0x01;
  static final int IFA_F_NODAD = 0x02;
  static final int IFA_F_HOMEADDRESS = 0x10;
  static final int IFA_F_MANAGETEMPADDR = 0x100;
  static final int IFA_F_NOPREFIXROUTE = 0x200;
  static final int IFA_F_MCAUTOJOIN = 0x400;

  /** Up to here the kernel has set an address: on a loopback, by advertisement, as link-local. */
  static final int IFAPROT_KERNEL_LL = 3;

  static final int RTA_DST = 1;
  static final int RTA_OIF = 4;
  static final int RTA_GATEWAY = 5;
  static final int RTA_PRIORITY = 6;
  static final int RTA_PREFSRC = 7;
  static final int RTA_MULTIPATH = 9;
  static final int RTA_TABLE = 15;
  static final int RTA_VIA = 18;
  static final int RTNH_F_ONLINK = 4;
  static final int RT_TABLE_MAIN = 254;
  static final int RTPROT_REDIRECT = 1;
  static final int RTPROT_KERNEL = 2;
  static final int RTPROT_STATIC = 4;
  static final int RTPROT_RA = 9;
  static final int RT_SCOPE_UNIVERSE = 0;
  static final int RT_SCOPE_LINK = 253;
  static final int RTN_UNICAST = 1;
  static final int RTM_F_CLONED = 0x200;

  private NetlinkConstants() {}
}
