package io.keelson.csi.kind;

import io.keelson.csi.driver.Operation;
import io.keelson.csi.volume.MountTable;
import io.keelson.csi.volume.VolumeBackend;
import io.keelson.proto.node.v1.HostPathVolume;
import io.keelson.proto.node.v1.VolumeSource;
import io.keelson.proto.record.v1.PublicationRecord;
import io.keelson.proto.record.v1.VolumeRecord;
import io.keelson.sandbox.RecordStore.Durability;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.isolator.HostPaths;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/**
 * Files and folders of the node: checked, made if asked for, and mounted from where they are. They
 * may lie on a network file system whose server is gone, so they are touched with a deadline.
 */
public final class HostPathBackend implements VolumeBackend {

  private static final int FOLDER_MODE = 0755;
  private static final int FILE_MODE = 0644;
  private static final int S_IFMT = 0xf000;
  private static final int S_IFSOCK = 0xc000;
  private static final int S_IFBLK = 0x6000;
  private static final int S_IFCHR = 0x2000;

  private final HostPaths hostPaths;

  public HostPathBackend(HostPaths hostPaths) {
    this.hostPaths = hostPaths;
  }

  @Override
  public String key(VolumeSource source, String publicationId) {
    HostPathVolume volume = source.getHostPath();
    if (!volume.getPath().startsWith("/")) {
      throw new InvalidRequestException(
          "host path \"" + volume.getPath() + "\" is not an absolute path");
    }
    Modes.parse(volume.getMode(), FOLDER_MODE);
    return "host-path~" + publicationId;
  }

  @Override
  public Durability durability() {
    return Durability.DAEMON;
  }

  @Override
  public Path publish(
      VolumeRecord volume, PublicationRecord publication, Path target, Operation operation)
      throws IOException {
    HostPathVolume wanted = publication.getSource().getHostPath();
    Path path = Path.of(wanted.getPath()).normalize();
    return hostPaths.call(
        progress -> {
          progress.touches(path);
          make(path, wanted);
          check(path, wanted.getType());
          return path.toRealPath();
        });
  }

  private static void make(Path path, HostPathVolume wanted) throws IOException {
    boolean folder = wanted.getType() == HostPathVolume.Type.TYPE_DIRECTORY_OR_CREATE;
    boolean file = wanted.getType() == HostPathVolume.Type.TYPE_FILE_OR_CREATE;
    if ((!folder && !file) || Files.exists(path)) {
      return;
    }
    Files.createDirectories(Objects.requireNonNullElse(path.getParent(), path));
    try {
      if (folder) {
        Files.createDirectory(path);
      } else {
        Files.createFile(path);
      }
    } catch (FileAlreadyExistsException e) {
      return; // another pod wanted it at the same moment
    }
    Modes.setOwner(path, wanted.getUid(), wanted.getGid());
    Modes.set(path, Modes.parse(wanted.getMode(), folder ? FOLDER_MODE : FILE_MODE));
  }

  private static void check(Path path, HostPathVolume.Type type) throws IOException {
    if (!Files.exists(path)) {
      throw new FailedPreconditionException("host path " + path + " does not exist");
    }
    boolean fits =
        switch (type) {
          case TYPE_ANY -> true;
          case TYPE_DIRECTORY, TYPE_DIRECTORY_OR_CREATE -> Files.isDirectory(path);
          case TYPE_FILE, TYPE_FILE_OR_CREATE -> Files.isRegularFile(path);
          case TYPE_SOCKET -> kind(path) == S_IFSOCK;
          case TYPE_CHARACTER_DEVICE -> kind(path) == S_IFCHR;
          case TYPE_BLOCK_DEVICE -> kind(path) == S_IFBLK;
          case UNRECOGNIZED -> throw new InvalidRequestException("unknown type of a host path");
        };
    if (!fits) {
      throw new FailedPreconditionException("host path " + path + " is not a " + type);
    }
  }

  private static int kind(Path path) throws IOException {
    return (Integer) Files.getAttribute(path, "unix:mode") & S_IFMT;
  }

  @Override
  public void unpublish(
      VolumeRecord volume, PublicationRecord publication, Path target, Operation operation) {
    // What was made stays: it is the node's, not the pod's.
  }

  @Override
  public boolean isPublished(PublicationRecord publication, Path target, MountTable mounts) {
    return true; // where it lies; whether it does so still is not the daemon's to know
  }
}
