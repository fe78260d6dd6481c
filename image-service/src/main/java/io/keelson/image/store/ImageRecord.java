package io.keelson.image.store;

import java.util.List;
import java.util.TreeSet;

/**
 * What is written of an image beside its config.
 *
 * @param id as {@code algorithm:hex}
 * @param tags full names with a tag, sorted
 * @param digests full names with a digest, sorted
 * @param changedAt nanoseconds since the epoch; where two records claim a tag, the later one has it
 */
record ImageRecord(String id, List<String> tags, List<String> digests, long changedAt) {

  ImageRecord {
    tags = List.copyOf(new TreeSet<>(tags));
    digests = List.copyOf(new TreeSet<>(digests));
  }

  /** This record without the names of another. */
  ImageRecord without(ImageRecord other, long changedAt) {
    return new ImageRecord(
        id,
        tags.stream().filter(name -> !other.tags.contains(name)).toList(),
        digests.stream().filter(name -> !other.digests.contains(name)).toList(),
        changedAt);
  }
}
