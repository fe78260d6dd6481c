package io.keelson.linux.cgroup;

import java.io.IOException;
import java.time.Duration;

/**
 * Who makes the group of a container, and with it how the group is named in {@code
 * linux.cgroupsPath} (OCI runtime spec, config-linux, "Control groups").
 */
public enum CgroupDriver {
  /** The runtime makes folders: {@code /parent/id}. */
  CGROUPFS {
    @Override
    public String parent(String parent) {
      if (parent.isEmpty()) {
        return "/keelson";
      }
      String path = parent.startsWith("/") ? parent : "/" + parent;
      CgroupFolders.check(path);
      return path;
    }

    @Override
    public String cgroupsPath(String parent, String id) {
      return parent(parent) + "/" + id;
    }

    @Override
    public String parentGroup(String parent) {
      return parent(parent);
    }

    @Override
    public void removeParent(Cgroups cgroups, String parent, Duration timeout) throws IOException {
      cgroups.remove(parentGroup(parent), timeout);
    }
  },
  /** systemd makes scopes in slices: {@code parent.slice:keelson:id}. */
  SYSTEMD {
    @Override
    public String parent(String parent) {
      if (parent.isEmpty()) {
        return "keelson.slice";
      }
      // A kubelet gives the whole path of the slice; its name says as much.
      String name = parent.substring(parent.lastIndexOf('/') + 1);
      SystemdSlices.check(name);
      return name;
    }

    @Override
    public String cgroupsPath(String parent, String id) {
      return parent(parent) + ":" + PREFIX + ":" + id;
    }

    @Override
    public String parentGroup(String parent) {
      return SystemdSlices.expand(parent(parent));
    }

    @Override
    public void removeParent(Cgroups cgroups, String parent, Duration timeout) throws IOException {
      String group = parentGroup(parent);
      // systemd started the slice with the first scope in it, and keeps it until it is told.
      if (cgroups.exists(group)) {
        Systemctl.stop(parent(parent), timeout);
      }
      cgroups.remove(group, timeout);
    }
  };

  private static final String PREFIX = "keelson";

  /**
   * The parent in the form that this driver uses.
   *
   * @param parent as CRI gives it ({@code cgroup_parent}), {@code ""} for the project's own
   * @throws IllegalArgumentException saying what is wrong if this driver can't have it as a parent
   */
  public abstract String parent(String parent);

  /** The value of {@code linux.cgroupsPath} for the group {@code id} in {@code parent}. */
  public abstract String cgroupsPath(String parent, String id);

  /** The path below each hierarchy of the parent itself. */
  public abstract String parentGroup(String parent);

  /**
   * Removes the parent itself with what is below it. Harmless if it is not there. Only for one in
   * which no process is left: systemd would kill it.
   *
   * @param timeout for each step
   */
  public abstract void removeParent(Cgroups cgroups, String parent, Duration timeout)
      throws IOException;

  /** The path below each hierarchy of a group that is named as {@code linux.cgroupsPath} does. */
  public static String group(String cgroupsPath) {
    if (cgroupsPath.startsWith("/")) {
      return cgroupsPath;
    }
    String[] parts = cgroupsPath.split(":", -1);
    if (parts.length != 3 || parts[2].isEmpty()) {
      throw new IllegalArgumentException(
          "neither /a/path nor slice:prefix:name: \"" + cgroupsPath + "\"");
    }
    String slice = parts[0].isEmpty() ? "system.slice" : parts[0];
    String prefix = parts[1].isEmpty() ? "" : parts[1] + "-";
    return SystemdSlices.expand(slice) + "/" + prefix + parts[2] + ".scope";
  }
}
