package io.keelson.image.store;

import io.keelson.image.reference.Digest;
import io.keelson.image.reference.ImageReference;
import io.keelson.sandbox.error.InvalidRequestException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** All images at one moment, by id and by name. Immutable. */
final class ImageIndex {

  static final ImageIndex EMPTY = new ImageIndex(new TreeMap<>());

  /** Shorter ones would make ids of words. */
  private static final Pattern SHORT_ID = Pattern.compile("(?:sha256:)?([0-9a-f]{6,64})");

  private final NavigableMap<String, StoredImage> byHex;
  private final Map<String, StoredImage> byName = new HashMap<>();
  private final List<StoredImage> images;

  private ImageIndex(NavigableMap<String, StoredImage> byHex) {
    this.byHex = byHex;
    this.images = List.copyOf(byHex.values());
    for (StoredImage image : images) {
      names(image).forEach(name -> byName.put(name, image));
    }
  }

  List<StoredImage> images() {
    return images;
  }

  Optional<StoredImage> byId(Digest id) {
    return Optional.ofNullable(byHex.get(id.hex()));
  }

  Optional<StoredImage> find(String reference) {
    Optional<StoredImage> byName =
        ImageReference.tryParse(reference).map(name -> this.byName.get(name.toString()));
    if (byName.isPresent()) {
      return byName;
    }
    var id = SHORT_ID.matcher(reference);
    return id.matches() ? byShortId(id.group(1)) : Optional.empty();
  }

  private Optional<StoredImage> byShortId(String start) {
    Map<String, StoredImage> matches = byHex.subMap(start, true, start + "g", false);
    if (matches.size() > 1) {
      throw new InvalidRequestException(
          "\"%s\" is the beginning of %d image ids".formatted(start, matches.size()));
    }
    return matches.values().stream().findFirst();
  }

  ImageIndex with(StoredImage image) {
    NavigableMap<String, StoredImage> next = new TreeMap<>(byHex);
    next.put(image.id().hex(), image);
    return new ImageIndex(next);
  }

  ImageIndex without(Digest id) {
    NavigableMap<String, StoredImage> next = new TreeMap<>(byHex);
    next.remove(id.hex());
    return new ImageIndex(next);
  }

  /** The images, other than the record's own, that have a name which the record claims. */
  List<StoredImage> sharingNames(ImageRecord record) {
    return Stream.concat(record.tags().stream(), record.digests().stream())
        .map(byName::get)
        .filter(image -> image != null && !image.id().toString().equals(record.id()))
        .distinct()
        .toList();
  }

  /** The record without the names that images here have. */
  ImageRecord withoutNamesOf(ImageRecord record) {
    return new ImageRecord(
        record.id(),
        record.tags().stream().filter(name -> !byName.containsKey(name)).toList(),
        record.digests().stream().filter(name -> !byName.containsKey(name)).toList(),
        record.changedAt());
  }

  ImageRecord record(StoredImage image) {
    return new ImageRecord(
        image.id().toString(),
        image.description().repoTags(),
        image.description().repoDigests(),
        0);
  }

  private static Stream<String> names(StoredImage image) {
    return Stream.concat(
        image.description().repoTags().stream(), image.description().repoDigests().stream());
  }
}
