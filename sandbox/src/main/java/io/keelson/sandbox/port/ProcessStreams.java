package io.keelson.sandbox.port;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/**
 * The standard streams of a process in a container, for who talks to it. Each is used by one thread
 * at a time; their {@code transferTo} holds no memory while nothing moves. {@link #close} may come
 * from any thread.
 */
public interface ProcessStreams extends AutoCloseable {

  /**
   * Its standard input; what is written goes nowhere if it has none. Closing it lets the process
   * read the end, unless it runs in a terminal, which has none.
   */
  OutputStream stdin();

  /** Its standard output, or all of its terminal. */
  InputStream stdout();

  /** Its standard error; at its end from the beginning if it runs in a terminal. */
  InputStream stderr();

  /** Sets the size of its terminal; harmless if it has none. */
  void resize(int columns, int rows) throws IOException;

  /** Lets go of the streams; a process in a terminal of its own is hung up on, others go on. */
  @Override
  void close();
}
