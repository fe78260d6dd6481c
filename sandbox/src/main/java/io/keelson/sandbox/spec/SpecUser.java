package io.keelson.sandbox.spec;

import java.util.List;

/**
 * Whom a container's process runs as (OCI runtime spec, {@code process.user}).
 *
 * @param uid user id in the container
 * @param gid group id in the container
 * @param additionalGids supplementary groups, in ascending order, without duplicates
 */
public record SpecUser(long uid, long gid, List<Long> additionalGids) {

  public static final SpecUser ROOT = new SpecUser(0, 0, List.of());

  public SpecUser {
    additionalGids = List.copyOf(additionalGids);
  }
}
