package io.keelson.image.source;

import io.keelson.image.reference.Digest;
import java.nio.file.Path;

/** How a blob becomes the files of a layer. */
public sealed interface LayerForm {

  /** A tar, compressed or not, whose digest is the diff id. */
  record Tar() implements LayerForm {}

  /** A tar, compressed or not, of which only the blob's digest is known. */
  record UncheckedTar() implements LayerForm {}

  /**
   * A folder in a tar, compressed or not.
   *
   * @param folder without slashes around it
   * @param tar the digest of the whole tar
   */
  record PartOfTar(String folder, Digest tar) implements LayerForm {}

  /**
   * No blob, but a folder on this host, which is not copied.
   *
   * @param path absolute
   */
  record HostFolder(Path path) implements LayerForm {}

  /**
   * One file.
   *
   * @param path as its source says it, so not to be trusted
   */
  record SingleFile(String path) implements LayerForm {}
}
