package io.keelson.linux.netlink;

import com.sun.jna.Native;
import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A netlink socket to the kernel. Every wait for an answer ends after {@link #PATIENCE}. Not
 * thread-safe; the calls block for as long as the kernel's own lock (rtnl) is held by others.
 */
final class NetlinkSocket implements AutoCloseable {

  /** Far longer than any request takes; an answer that is not there by then never comes. */
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  /** The kernel fills a dump's datagrams up to 32 KiB when it is given the room. */
  private static final int RECEIVE_BUFFER = 32 * 1024;

  /**
   * Acknowledgements wait in the receive buffer while the batch runs; more of them would overflow
   * it.
   */
  private static final int BATCH_MESSAGES = 64;

  private static final int DUMP_ATTEMPTS = 10;

  private static final int SOCKADDR_NL = 12;

  private final int fd;
  private final byte[] receiveBuffer = new byte[RECEIVE_BUFFER];
  private int sequence;
  private boolean closed;

  private NetlinkSocket(int fd) {
    this.fd = fd;
  }

  /** Opens a socket in the network namespace of the calling thread. */
  static NetlinkSocket open(int protocol) throws ErrnoException {
    int type = NetlinkConstants.SOCK_RAW | NetlinkConstants.SOCK_CLOEXEC;
    int fd = NetlinkLibrary.socket(NetlinkConstants.AF_NETLINK, type, protocol);
    if (fd < 0) {
      throw new ErrnoException("socket(AF_NETLINK, " + protocol + ")", Native.getLastError());
    }
    byte[] timeout =
        ByteBuffer.allocate(16)
            .order(ByteOrder.nativeOrder())
            .putLong(PATIENCE.toSeconds())
            .putLong(0)
            .array();
    byte[] on = ByteBuffer.allocate(4).order(ByteOrder.nativeOrder()).putInt(1).array();
    setOption(fd, NetlinkConstants.SOL_SOCKET, NetlinkConstants.SO_RCVTIMEO, timeout);
    // Each of these an old kernel may lack; nothing but the detail of an error is lost then.
    setOption(fd, NetlinkConstants.SOL_NETLINK, NetlinkConstants.NETLINK_EXT_ACK, on);
    setOption(fd, NetlinkConstants.SOL_NETLINK, NetlinkConstants.NETLINK_CAP_ACK, on);
    setOption(fd, NetlinkConstants.SOL_NETLINK, NetlinkConstants.NETLINK_GET_STRICT_CHK, on);
    return new NetlinkSocket(fd);
  }

  private static void setOption(int fd, int level, int name, byte[] value) {
    NetlinkLibrary.setsockopt(fd, level, name, value, value.length);
  }

  /**
   * Sends the requests in as few calls as possible. The kernel works through all of them in order,
   * also after one has failed.
   *
   * @throws ErrnoException of the first request that failed, with the others suppressed in it
   */
  void execute(List<Request> requests) throws IOException {
    ErrnoException failure = null;
    for (int from = 0; from < requests.size(); from += BATCH_MESSAGES) {
      List<Request> batch =
          requests.subList(from, Math.min(requests.size(), from + BATCH_MESSAGES));
      failure = executeBatch(batch, failure);
    }
    if (failure != null) {
      throw failure;
    }
  }

  private @Nullable ErrnoException executeBatch(
      List<Request> batch, @Nullable ErrnoException earlier) throws IOException {
    int first = send(batch);
    ErrnoException failure = earlier;
    int pending = batch.size();
    boolean[] answered = new boolean[pending];
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (pending > 0) {
      for (Datagram.Message message : receive(batch.getFirst(), deadline)) {
        int index = message.sequence() - first;
        if (message.type() != NetlinkConstants.NLMSG_ERROR
            || index < 0
            || index >= answered.length
            || answered[index]) {
          continue; // an answer to a question that was given up
        }
        answered[index] = true;
        pending--;
        Acknowledgement answer = Acknowledgement.of(message);
        if (answer.errno() != 0) {
          ErrnoException next = failure(batch.get(index), answer);
          if (failure == null) {
            failure = next;
          } else {
            failure.addSuppressed(next);
          }
        }
      }
    }
    return failure;
  }

  /**
   * Asks for one object.
   *
   * @return the kernel's message
   * @throws ErrnoException as the kernel answers
   */
  Datagram.Message get(Request request) throws IOException {
    int asked = send(List.of(request));
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      for (Datagram.Message message : receive(request, deadline)) {
        if (message.sequence() != asked) {
          continue;
        }
        if (message.type() == NetlinkConstants.NLMSG_ERROR) {
          throw failure(request, Acknowledgement.of(message));
        }
        return detach(message);
      }
    }
  }

  /**
   * Asks for all objects of a kind. A dump that others changed while it ran is asked for again.
   *
   * @throws ErrnoException as the kernel answers
   */
  List<Datagram.Message> dump(Request request) throws IOException {
    for (int attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
      List<Datagram.Message> messages = new ArrayList<>();
      if (dumpOnce(request, messages)) {
        return messages;
      }
    }
    throw new IOException(
        request.description() + ": changed " + DUMP_ATTEMPTS + " times while it was read");
  }

  private boolean dumpOnce(Request request, List<Datagram.Message> into) throws IOException {
    int asked = send(List.of(request));
    boolean consistent = true;
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      for (Datagram.Message message : receive(request, deadline)) {
        if (message.sequence() != asked) {
          continue;
        }
        consistent &= (message.flags() & NetlinkConstants.NLM_F_DUMP_INTR) == 0;
        if (message.type() == NetlinkConstants.NLMSG_ERROR) {
          throw failure(request, Acknowledgement.of(message));
        }
        if (message.type() == NetlinkConstants.NLMSG_DONE) {
          Acknowledgement end = Acknowledgement.ofDone(message);
          if (end.errno() != 0) {
            throw failure(request, end);
          }
          return consistent;
        }
        into.add(detach(message));
      }
    }
  }

  /**
   * The index of a link in this socket's namespace: much cheaper than to have the kernel describe
   * it.
   *
   * @throws ErrnoException with ENODEV if there is none of that name
   */
  int linkIndex(String name) throws ErrnoException {
    byte[] request = new byte[NetlinkConstants.IFREQ_SIZE];
    byte[] text = name.getBytes(StandardCharsets.UTF_8);
    System.arraycopy(text, 0, request, 0, text.length);
    if (NetlinkLibrary.ioctl(fd, NetlinkConstants.SIOCGIFINDEX, request) < 0) {
      throw new ErrnoException("ioctl(SIOCGIFINDEX, " + name + ")", Native.getLastError());
    }
    return ByteBuffer.wrap(request)
        .order(ByteOrder.nativeOrder())
        .getInt(NetlinkConstants.IFREQ_INDEX);
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      NetlinkLibrary.close(fd);
    }
  }

  /** Returns the sequence number of the first message; the others follow it. */
  private int send(List<Request> requests) throws ErrnoException {
    byte[] datagram = new byte[requests.stream().mapToInt(Request::length).sum()];
    ByteBuffer header = ByteBuffer.wrap(datagram).order(ByteOrder.nativeOrder());
    int first = sequence + 1;
    int offset = 0;
    for (Request request : requests) {
      request.copyTo(datagram, offset);
      header.putInt(offset + 8, ++sequence);
      offset += request.length();
    }
    long sent;
    do {
      sent = NetlinkLibrary.send(fd, datagram, datagram.length, 0);
    } while (sent < 0 && Native.getLastError() == Errno.EINTR);
    if (sent < 0) {
      throw new ErrnoException("netlink: " + describe(requests), Native.getLastError());
    }
    return first;
  }

  private List<Datagram.Message> receive(Request request, long deadline) throws IOException {
    while (true) {
      byte[] sender = new byte[SOCKADDR_NL];
      long length =
          NetlinkLibrary.recvfrom(
              fd,
              receiveBuffer,
              receiveBuffer.length,
              NetlinkConstants.MSG_TRUNC,
              sender,
              new int[] {sender.length});
      int errno = length < 0 ? Native.getLastError() : 0;
      if (System.nanoTime() - deadline > 0 || errno == Errno.EAGAIN) {
        throw new IOException(
            "netlink: " + request.description() + ": no answer in " + PATIENCE.toSeconds() + " s");
      }
      if (errno == Errno.EINTR) {
        continue;
      }
      if (errno != 0) {
        throw new ErrnoException("netlink: " + request.description(), errno);
      }
      boolean fromKernel = ByteBuffer.wrap(sender).order(ByteOrder.nativeOrder()).getInt(4) == 0;
      if (!fromKernel) {
        continue;
      }
      if (length > receiveBuffer.length) {
        throw new MalformedMessageException(
            request.description() + ": an answer of " + length + " bytes was cut");
      }
      return Datagram.messages(receiveBuffer, (int) length);
    }
  }

  /** A message that stays as it is when the buffer takes the next datagram. */
  private static Datagram.Message detach(Datagram.Message message) {
    ByteBuffer body =
        ByteBuffer.allocate(message.body().remaining()).order(ByteOrder.nativeOrder());
    body.put(message.body().duplicate()).flip();
    return new Datagram.Message(message.type(), message.flags(), message.sequence(), body);
  }

  private static String describe(List<Request> requests) {
    return String.join(", ", requests.stream().map(Request::description).toList());
  }

  private static ErrnoException failure(Request request, Acknowledgement answer) {
    String words = answer.message().isEmpty() ? "" : " (" + answer.message() + ")";
    return new ErrnoException("netlink: " + request.description() + words, answer.errno());
  }
}
