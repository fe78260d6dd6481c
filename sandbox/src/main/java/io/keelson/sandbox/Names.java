package io.keelson.sandbox;

import io.keelson.proto.cri.v1.ContainerMetadata;
import io.keelson.proto.cri.v1.PodSandboxMetadata;
import java.security.SecureRandom;
import java.util.HexFormat;

/** Names and ids of pods and containers. */
final class Names {

  private static final int ID_BYTES = 32;

  private Names() {}

  /** What only one sandbox has at a time: {@code name_namespace_uid_attempt}. */
  static String sandbox(PodSandboxMetadata pod) {
    return String.join(
        "_", pod.getName(), pod.getNamespace(), pod.getUid(), attempt(pod.getAttempt()));
  }

  /**
   * What only one container has at a time: {@code name_pod_namespace_uid_attempt}, below its
   * sandbox.
   */
  static String container(String sandboxId, ContainerMetadata container) {
    return String.join("_", container.getName(), sandboxId, attempt(container.getAttempt()));
  }

  /** 64 random hexadecimal digits. */
  static String newId(SecureRandom random) {
    byte[] id = new byte[ID_BYTES];
    random.nextBytes(id);
    return HexFormat.of().formatHex(id);
  }

  private static String attempt(int unsigned) {
    return Integer.toUnsignedString(unsigned);
  }
}
