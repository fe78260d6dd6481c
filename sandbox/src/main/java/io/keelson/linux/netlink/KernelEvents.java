package io.keelson.linux.netlink;

import com.sun.jna.Native;
import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells when devices of the host come and go: the kernel's uevents (netlink(7),
 * NETLINK_KOBJECT_UEVENT), with a thread of its own. {@link #close} may be called from any thread.
 */
public final class KernelEvents implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(KernelEvents.class);

  private static final int NETLINK_KOBJECT_UEVENT = 15;
  private static final int KERNEL_GROUP = 1;
  private static final int SOCKADDR_NL = 12;
  private static final int ENOBUFS = 105;

  /** The kernel's own limit is 2 KiB. */
  private static final int BUFFER = 8 * 1024;

  /** How long an end may take to be seen. */
  private static final int LOOK_SECONDS = 1;

  private final int fd;
  private final Consumer<Map<String, String>> listener;
  private final Thread thread;
  private volatile boolean closed;

  private KernelEvents(int fd, Consumer<Map<String, String>> listener) {
    this.fd = fd;
    this.listener = listener;
    this.thread = Thread.ofPlatform().daemon().name("kernel-events").unstarted(this::loop);
  }

  /**
   * Reports events from its return on, one after the other.
   *
   * @param listener gets the variables of an event ({@code ACTION}, {@code SUBSYSTEM}, {@code
   *     DEVNAME}, …); none of them if events were lost
   */
  public static KernelEvents watch(Consumer<Map<String, String>> listener) throws ErrnoException {
    int type = NetlinkConstants.SOCK_RAW | NetlinkConstants.SOCK_CLOEXEC;
    int fd = NetlinkLibrary.socket(NetlinkConstants.AF_NETLINK, type, NETLINK_KOBJECT_UEVENT);
    if (fd < 0) {
      throw new ErrnoException("socket(AF_NETLINK, NETLINK_KOBJECT_UEVENT)", Native.getLastError());
    }
    byte[] timeout = words(16).putLong(LOOK_SECONDS).putLong(0).array();
    NetlinkLibrary.setsockopt(
        fd, NetlinkConstants.SOL_SOCKET, NetlinkConstants.SO_RCVTIMEO, timeout, timeout.length);
    byte[] address =
        words(SOCKADDR_NL)
            .putShort((short) NetlinkConstants.AF_NETLINK)
            .putShort((short) 0)
            .putInt(0)
            .putInt(KERNEL_GROUP)
            .array();
    if (NetlinkLibrary.bind(fd, address, address.length) != 0) {
      int errno = Native.getLastError();
      NetlinkLibrary.close(fd);
      throw new ErrnoException("bind(NETLINK_KOBJECT_UEVENT)", errno);
    }
    KernelEvents events = new KernelEvents(fd, listener);
    events.thread.start();
    return events;
  }

  private static ByteBuffer words(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.nativeOrder());
  }

  private void loop() {
    byte[] buffer = new byte[BUFFER];
    byte[] sender = new byte[SOCKADDR_NL];
    while (!closed) {
      long count =
          NetlinkLibrary.recvfrom(fd, buffer, buffer.length, 0, sender, new int[] {SOCKADDR_NL});
      if (count < 0) {
        int errno = Native.getLastError();
        if (errno == ENOBUFS) {
          tell(Map.of());
        } else if (errno != Errno.EAGAIN && errno != Errno.EINTR) {
          LOG.atError().log("the kernel's events have ended: {}", Errno.describe(errno));
          break;
        }
      } else if (ByteBuffer.wrap(sender).order(ByteOrder.nativeOrder()).getInt(4) == 0) {
        tell(variables(new String(buffer, 0, (int) count, StandardCharsets.UTF_8)));
      } // else it is not from the kernel: anyone may send here
    }
    NetlinkLibrary.close(fd);
  }

  private static Map<String, String> variables(String event) {
    Map<String, String> variables = new TreeMap<>();
    for (String line : event.split("\0", -1)) {
      int equals = line.indexOf('=');
      if (equals > 0) {
        variables.put(line.substring(0, equals), line.substring(equals + 1));
      }
    }
    return variables;
  }

  private void tell(Map<String, String> variables) {
    try {
      listener.accept(variables);
    } catch (RuntimeException e) {
      LOG.atError().setCause(e).log("an event of the kernel could not be handled");
    }
  }

  /** The thread ends soon after. */
  @Override
  public void close() {
    closed = true;
  }
}
