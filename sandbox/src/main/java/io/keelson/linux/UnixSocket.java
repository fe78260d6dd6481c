package io.keelson.linux;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What Java's own unix sockets (unix(7)) can't: sequenced packets, datagrams, abstract names, and
 * descriptors as messages.
 */
public final class UnixSocket {

  private static final int AF_UNIX = 1;
  private static final int SOCK_STREAM = 1;
  private static final int SOCK_DGRAM = 2;
  private static final int SOCK_SEQPACKET = 5;
  private static final int SOCK_CLOEXEC = LibC.O_CLOEXEC;
  private static final int SOL_SOCKET = 1;
  private static final int SCM_RIGHTS = 1;
  private static final int MSG_CMSG_CLOEXEC = 0x40000000;
  private static final int NAME_SIZE = 108;

  private UnixSocket() {}

  /**
   * Connects to a socket of sequenced packets; the path may be of any length.
   *
   * @throws ErrnoException {@link Errno#ENOENT} or {@link Errno#ECONNREFUSED} if nobody listens
   */
  public static Fd connectPackets(Path path) throws ErrnoException {
    return connect(Address.of(path), SOCK_SEQPACKET);
  }

  /**
   * Connects to a stream socket; the path may be of any length.
   *
   * @throws ErrnoException {@link Errno#ENOENT} or {@link Errno#ECONNREFUSED} if nobody listens
   */
  public static Fd connect(Path path) throws ErrnoException {
    return connect(Address.of(path), SOCK_STREAM);
  }

  /**
   * Connects to a socket of datagrams.
   *
   * @param name an absolute path, or an abstract name behind an {@code @}
   * @throws ErrnoException {@link Errno#ENOENT} or {@link Errno#ECONNREFUSED} if nobody listens
   */
  public static Fd connectDatagrams(String name) throws ErrnoException {
    Address address =
        name.startsWith("@") ? Address.ofAbstract(name.substring(1)) : Address.of(Path.of(name));
    return connect(address, SOCK_DGRAM);
  }

  private static Fd connect(Address to, int type) throws ErrnoException {
    try (Address address = to) {
      Fd socket = open(type);
      if (LibC.connect(socket.number(), address.memory(), address.length()) < 0) {
        ErrnoException failure = LibC.failure("connect(\"" + address.name() + "\")");
        socket.close();
        throw failure;
      }
      return socket;
    }
  }

  /** Listens on a stream socket that it makes; the path may be of any length. */
  public static Fd listen(Path path) throws ErrnoException {
    Fd socket = open(SOCK_STREAM);
    try (Address address = Address.of(path)) {
      if (LibC.bind(socket.number(), address.memory(), address.length()) < 0) {
        throw LibC.failure("bind(\"" + path + "\")");
      }
      if (LibC.listen(socket.number(), 1) < 0) {
        throw LibC.failure("listen(\"" + path + "\")");
      }
      return socket;
    } catch (ErrnoException e) {
      socket.close();
      throw e;
    }
  }

  /**
   * Accepts one connection and takes the descriptor that comes as its first message.
   *
   * @return empty if there is no connection within {@code timeout}, or none with a descriptor
   */
  public static Optional<Fd> receiveFd(Fd listener, Duration timeout) throws IOException {
    long deadline = System.nanoTime() + timeout.toNanos();
    if (!listener.awaitReadable(timeout)) {
      return Optional.empty();
    }
    int number = LibC.accept4(listener.number(), null, null, SOCK_CLOEXEC);
    if (number < 0) {
      throw LibC.failure("accept4(" + listener.number() + ")");
    }
    try (Fd connection = Fd.adopt(number)) {
      if (!connection.awaitReadable(Duration.ofNanos(deadline - System.nanoTime()))) {
        return Optional.empty();
      }
      return receive(connection);
    }
  }

  private static Optional<Fd> receive(Fd connection) throws ErrnoException {
    // struct msghdr and struct cmsghdr as on all 64-bit systems
    try (Memory text = new Memory(4096);
        Memory vector = new Memory(16);
        Memory control = new Memory(24);
        Memory message = new Memory(56)) {
      vector.setPointer(0, text);
      vector.setLong(8, text.size());
      control.clear();
      message.clear();
      message.setPointer(16, vector);
      message.setLong(24, 1);
      message.setPointer(32, control);
      message.setLong(40, control.size());
      while (LibC.recvmsg(connection.number(), message, MSG_CMSG_CLOEXEC) < 0) {
        if (Native.getLastError() != Errno.EINTR) {
          throw LibC.failure("recvmsg(" + connection.number() + ")");
        }
      }
      boolean hasFd =
          message.getLong(40) >= 20
              && control.getInt(8) == SOL_SOCKET
              && control.getInt(12) == SCM_RIGHTS;
      return hasFd ? Optional.of(Fd.adopt(control.getInt(16))) : Optional.empty();
    }
  }

  private static Fd open(int type) throws ErrnoException {
    int socket = LibC.socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (socket < 0) {
      throw LibC.failure("socket(AF_UNIX, " + type + ")");
    }
    return Fd.adopt(socket);
  }

  /** struct sockaddr_un; a name too long for it is reached by its folder's descriptor. */
  private record Address(String name, Memory memory, int length, @Nullable Fd folder)
      implements AutoCloseable {

    static Address ofAbstract(String name) throws ErrnoException {
      byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
      if (bytes.length >= NAME_SIZE) {
        throw new ErrnoException("unix socket \"@" + name + "\"", Errno.ENAMETOOLONG);
      }
      return new Address("@" + name, structure(bytes, 1), 2 + 1 + bytes.length, null);
    }

    static Address of(Path path) throws ErrnoException {
      Path absolute = path.toAbsolutePath();
      Fd folder =
          Fd.open(Objects.requireNonNull(absolute.getParent()), Fd.O_PATH | Fd.O_DIRECTORY, 0);
      byte[] name = absolute.toString().getBytes(StandardCharsets.UTF_8);
      if (name.length >= NAME_SIZE) {
        String shorter = "/proc/self/fd/" + folder.number() + "/" + absolute.getFileName();
        name = shorter.getBytes(StandardCharsets.UTF_8);
      }
      if (name.length >= NAME_SIZE) {
        folder.close();
        throw new ErrnoException("unix socket \"" + path + "\"", Errno.ENAMETOOLONG);
      }
      return new Address(path.toString(), structure(name, 0), 2 + name.length + 1, folder);
    }

    private static Memory structure(byte[] name, int offset) {
      Memory memory = new Memory(2L + NAME_SIZE);
      memory.clear();
      memory.setShort(0, (short) AF_UNIX);
      memory.write(2L + offset, name, 0, name.length);
      return memory;
    }

    @Override
    public void close() {
      memory.close();
      if (folder != null) {
        folder.close();
      }
    }
  }
}
