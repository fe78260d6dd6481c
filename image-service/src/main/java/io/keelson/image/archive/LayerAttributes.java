package io.keelson.image.archive;

import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.linux.tree.Inode;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The extended attributes of a layer's files. */
final class LayerAttributes {

  private static final Logger log = LoggerFactory.getLogger(LayerAttributes.class);

  private LayerAttributes() {}

  /**
   * Overlayfs would believe its own attributes, and an archive could make it show other folders by
   * them; SELinux labels are given to containers by the node.
   */
  static boolean isWanted(String attribute) {
    return !attribute.startsWith("trusted.overlay.")
        && !attribute.startsWith("user.overlay.")
        && !attribute.equals("security.selinux")
        && attribute.indexOf('\0') < 0;
  }

  /** Sets all but a folder's default access control list, which is for its end. */
  static void apply(Inode inode, TarEntry entry) throws ErrnoException {
    for (Map.Entry<String, byte[]> attribute : entry.attributes().entrySet()) {
      if (isWanted(attribute.getKey()) && !attribute.getKey().equals(AccessControlList.DEFAULT)) {
        tolerate(
            attribute.getKey(), () -> inode.setAttribute(attribute.getKey(), attribute.getValue()));
      }
    }
  }

  /** Sets an attribute; one that this file system or type of file can't have is left out. */
  static void tolerate(String attribute, Setting setting) throws ErrnoException {
    try {
      setting.set();
    } catch (ErrnoException e) {
      if (!e.is(Errno.EOPNOTSUPP) && !e.is(Errno.EPERM) && !e.is(Errno.EINVAL)) {
        throw e;
      }
      log.atDebug()
          .addKeyValue("attribute", attribute)
          .log("attribute left out: {}", e.getMessage());
    }
  }

  @FunctionalInterface
  interface Setting {
    void set() throws ErrnoException;
  }
}
