package io.keelson.runtime.streaming;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;

/**
 * The client's side of an exec or attach. {@link #serve} runs on one thread from the beginning to
 * the end of the connection; each stream is used by one other.
 */
interface CommandChannels extends AutoCloseable {

  /** Reads the connection until it ends or breaks. */
  void serve() throws IOException;

  /**
   * Waits until the client has opened all the streams that it asked for; before that nothing may be
   * sent, since some clients read nothing while they open streams.
   *
   * @throws IOException after {@code timeout}
   */
  void awaitOpen(Duration timeout) throws IOException, InterruptedException;

  InputStream stdin();

  OutputStream stdout();

  OutputStream stderr();

  /** JSON objects with Width and Height, one after another. */
  InputStream resizes();

  /** Tells the client how it ended, and that nothing more comes. */
  void finish(CommandStatus status) throws IOException;

  /** Since content came or went. */
  long idleNanos();

  /** Ends the connection. */
  @Override
  void close();
}
