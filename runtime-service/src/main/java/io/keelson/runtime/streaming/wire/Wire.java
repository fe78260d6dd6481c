package io.keelson.runtime.streaming.wire;

import java.io.InputStream;
import java.io.OutputStream;

/**
 * A connection: bytes both ways. One thread reads, another may write; {@link #close} may come from
 * any thread, ends both, and never fails.
 */
public interface Wire extends AutoCloseable {

  InputStream in();

  OutputStream out();

  @Override
  void close();
}
