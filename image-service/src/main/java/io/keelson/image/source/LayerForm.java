package io.keelson.image.source;

/** How a blob becomes the files of a layer. */
public sealed interface LayerForm {

  /** A tar, compressed or not, whose digest is the diff id. */
  record Tar() implements LayerForm {}

  /** A tar, compressed or not, of which only the blob's digest is known. */
  record UncheckedTar() implements LayerForm {}

  /**
   * One file.
   *
   * @param path as its source says it, so not to be trusted
   */
  record SingleFile(String path) implements LayerForm {}
}
