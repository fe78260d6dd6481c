package io.keelson.linux.netlink;

import java.nio.ByteBuffer;

/**
 * The kernel's answer to one request.
 *
 * @param errno 0 if it was done
 * @param message the kernel's own words, often {@code ""}
 */
record Acknowledgement(int errno, String message) {

  /** Reads an NLMSG_ERROR message; with errno 0 it is the acknowledgement of success. */
  static Acknowledgement of(Datagram.Message message) throws MalformedMessageException {
    ByteBuffer fixed = message.fixed(4 + NetlinkConstants.NLMSG_HEADER);
    int errno = -fixed.getInt();
    int requestLength = fixed.getInt();
    if ((message.flags() & NetlinkConstants.NLM_F_ACK_TLVS) == 0) {
      return new Acknowledgement(errno, "");
    }
    // A request that failed comes back whole in front of the attributes, unless it was capped.
    boolean whole = errno != 0 && (message.flags() & NetlinkConstants.NLM_F_CAPPED) == 0;
    int skip = 4 + (whole ? requestLength : NetlinkConstants.NLMSG_HEADER);
    if (skip < 0 || skip > message.body().remaining()) {
      throw new MalformedMessageException("an error message ends before its attributes");
    }
    Attributes attributes = message.attributes(skip);
    return new Acknowledgement(
        errno, attributes.string(NetlinkConstants.NLMSGERR_ATTR_MSG).orElse(""));
  }

  /** Reads the end of a dump: the number of an error may follow, and attributes. */
  static Acknowledgement ofDone(Datagram.Message message) throws MalformedMessageException {
    if (message.body().remaining() < Integer.BYTES) {
      return new Acknowledgement(0, "");
    }
    int errno = Math.max(0, -message.fixed(Integer.BYTES).getInt());
    boolean explained = (message.flags() & NetlinkConstants.NLM_F_ACK_TLVS) != 0;
    return new Acknowledgement(
        errno,
        explained
            ? message
                .attributes(Integer.BYTES)
                .string(NetlinkConstants.NLMSGERR_ATTR_MSG)
                .orElse("")
            : "");
  }
}
