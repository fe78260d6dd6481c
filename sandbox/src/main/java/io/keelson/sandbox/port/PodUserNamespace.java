package io.keelson.sandbox.port;

import io.keelson.linux.IdMapping;
import io.keelson.proto.cri.v1.IDMapping;
import io.keelson.proto.cri.v1.NamespaceMode;
import io.keelson.proto.cri.v1.NamespaceOption;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.UserNamespace;
import io.keelson.sandbox.error.InvalidRequestException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The user namespace of a pod.
 *
 * @param file where it is pinned
 * @param uids which users of the host the users in it are; root is among them
 * @param gids the same for groups
 */
public record PodUserNamespace(Path file, IdMapping uids, IdMapping gids) {

  /** Whether a pod has one of its own; says nothing of whether its ranges are right. */
  public static boolean isWanted(PodSandboxConfig config) {
    NamespaceOption options = config.getLinux().getSecurityContext().getNamespaceOptions();
    return options.hasUsernsOptions() && options.getUsernsOptions().getMode() == NamespaceMode.POD;
  }

  /**
   * Reads what CRI says of a pod's user namespace.
   *
   * @param file where it is or will be pinned
   * @return empty if the pod has the host's
   * @throws InvalidRequestException for a mode other than POD and NODE, and for ranges other than
   *     exactly one of users and one of groups that hold root
   */
  public static Optional<PodUserNamespace> of(PodSandboxConfig config, Path file) {
    NamespaceOption options = config.getLinux().getSecurityContext().getNamespaceOptions();
    return options.hasUsernsOptions() ? of(options.getUsernsOptions(), file) : Optional.empty();
  }

  private static Optional<PodUserNamespace> of(UserNamespace wanted, Path file) {
    return switch (wanted.getMode()) {
      case NODE -> {
        if (wanted.getUidsCount() > 0 || wanted.getGidsCount() > 0) {
          throw new InvalidRequestException("ids can't be mapped in the host's user namespace");
        }
        yield Optional.empty();
      }
      case POD ->
          Optional.of(
              new PodUserNamespace(
                  file,
                  rootRange("uids", wanted.getUidsList()),
                  rootRange("gids", wanted.getGidsList())));
      case CONTAINER, TARGET, UNRECOGNIZED ->
          throw new InvalidRequestException(
              "user namespace mode %s is not allowed, only POD or NODE"
                  .formatted(wanted.getMode()));
    };
  }

  private static IdMapping rootRange(String kind, List<IDMapping> ranges) {
    IdMapping range = range(kind, ranges);
    if (range.inside() != 0) {
      throw new InvalidRequestException(
          "%s of a user namespace: id 0 is not mapped (%s)".formatted(kind, range));
    }
    return range;
  }

  /**
   * The one range of a list.
   *
   * @param kind for messages: {@code uids}
   * @throws InvalidRequestException for none, many, or one that is no range of ids
   */
  public static IdMapping range(String kind, List<IDMapping> ranges) {
    if (ranges.size() != 1) {
      throw new InvalidRequestException(
          "%s: exactly one range of ids is supported, not %d".formatted(kind, ranges.size()));
    }
    IDMapping range = ranges.getFirst();
    try {
      return new IdMapping(
          Integer.toUnsignedLong(range.getContainerId()),
          Integer.toUnsignedLong(range.getHostId()),
          Integer.toUnsignedLong(range.getLength()));
    } catch (IllegalArgumentException e) {
      throw new InvalidRequestException("%s: %s".formatted(kind, e.getMessage()), e);
    }
  }

  /** Root in the namespace, as the host sees it. */
  public long rootUid() {
    return uids.outside(0);
  }

  public long rootGid() {
    return gids.outside(0);
  }
}
