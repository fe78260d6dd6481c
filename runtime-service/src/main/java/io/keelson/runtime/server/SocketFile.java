package io.keelson.runtime.server;

import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipalNotFoundException;

/**
 * The file of a unix socket that is served. The socket is bound under another name, gets its mode
 * and group, and is then renamed, so that nobody ever meets one that is too open, and the file of a
 * daemon that died is replaced in one step.
 */
public final class SocketFile {

  /**
   * Appended to the name while the socket is made; the length that the configuration leaves room
   * for.
   */
  private static final String SUFFIX = ".new";

  private final Path path;
  private final String group;

  public SocketFile(Path path, String group) {
    this.path = path;
    this.group = group;
  }

  /**
   * Looks for what is in the way and takes away what an earlier start left half made.
   *
   * @return where to bind the socket, for {@link #publish}
   * @throws IOException if something else is served at the path, or something there is no socket
   */
  public Path prepare() throws IOException {
    Path parent = path.getParent();
    if (parent != null) {
      Files.createDirectories(parent);
    }
    if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
      if (!isSocket()) {
        throw new IOException(
            path + " exists and is no socket; remove it or configure another socket path");
      }
      if (answers()) {
        throw new IOException(
            path + " is served by another process; stop it or configure another socket path");
      }
    }
    Files.deleteIfExists(unpublished());
    return unpublished();
  }

  /** Makes the bound socket known under its name, with mode 0660 and the configured group. */
  public void publish() throws IOException {
    Files.setPosixFilePermissions(unpublished(), PosixFilePermissions.fromString("rw-rw----"));
    Files.getFileAttributeView(unpublished(), PosixFileAttributeView.class).setGroup(group());
    Files.move(unpublished(), path, StandardCopyOption.ATOMIC_MOVE);
  }

  public void delete() throws IOException {
    Files.deleteIfExists(path);
  }

  private Path unpublished() {
    return path.resolveSibling(path.getFileName() + SUFFIX);
  }

  private GroupPrincipal group() throws IOException {
    try {
      return path.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByGroupName(group);
    } catch (UserPrincipalNotFoundException e) {
      throw new IOException(
          "no group is named \""
              + group
              + "\" on this host: correct socket_group in the configuration",
          e);
    }
  }

  private boolean isSocket() throws IOException {
    int type = (int) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS);
    return (type & 0170000) == 0140000; // S_IFMT, S_IFSOCK: stat(2)
  }

  private boolean answers() throws IOException {
    try (SocketChannel client = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      // Not to wait: a listener whose queue is full takes nobody, but it is there.
      client.configureBlocking(false);
      client.connect(UnixDomainSocketAddress.of(path));
      return true;
    } catch (ConnectException _) { // ECONNREFUSED: the file of a process that is gone
      return false;
    }
  }
}
