package io.keelson.sandbox.spec;

import java.util.Collection;
import java.util.Collections;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * The capability sets of a container's process (OCI runtime spec, {@code process.capabilities}).
 * Names are in capitals with {@code CAP_}.
 */
public record SpecCapabilities(
    SortedSet<String> bounding,
    SortedSet<String> effective,
    SortedSet<String> permitted,
    SortedSet<String> inheritable,
    SortedSet<String> ambient) {

  public static final SpecCapabilities NONE = of(Set.of(), Set.of());

  public SpecCapabilities {
    bounding = sorted(bounding);
    effective = sorted(effective);
    permitted = sorted(permitted);
    inheritable = sorted(inheritable);
    ambient = sorted(ambient);
  }

  /**
   * The usual shape: the same set is bounding, permitted and effective; inheritable holds only what
   * is ambient, for the kernel wants that and nothing more is safe (CVE-2022-24769).
   */
  public static SpecCapabilities of(Collection<String> granted, Collection<String> ambient) {
    SortedSet<String> all = new TreeSet<>(granted);
    SortedSet<String> kept = new TreeSet<>(ambient);
    return new SpecCapabilities(all, all, all, kept, kept);
  }

  private static SortedSet<String> sorted(Collection<String> names) {
    return Collections.unmodifiableSortedSet(new TreeSet<>(names));
  }
}
