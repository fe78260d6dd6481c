package io.keelson.csi.driver;

import java.io.IOException;
import java.nio.file.Path;

/** A driver that is part of the daemon and costs nothing before it is first used. */
public interface BuiltInDriver {

  String name();

  /** Serves when it returns; comes once at most. Answers the socket. */
  Path start() throws IOException;

  /** Harmless if it never started. */
  void close() throws IOException;
}
