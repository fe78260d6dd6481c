package io.keelson.integration.bench;

import java.io.IOException;
import java.util.OptionalLong;

/** A program that pulls images, on folders of its own. For one thread. */
interface Puller extends AutoCloseable {

  String name();

  /** Its process, if one does all the work of all pulls. */
  OptionalLong pid();

  /** Returns when the image could be run. */
  void pull(String image) throws IOException;

  /** Returns when nothing of the image is there any more; nothing happens if it was not. */
  void remove(String image) throws IOException;

  @Override
  void close() throws IOException;
}
