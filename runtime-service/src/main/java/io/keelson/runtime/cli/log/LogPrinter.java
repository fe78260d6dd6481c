package io.keelson.runtime.cli.log;

import java.io.IOException;
import java.io.OutputStream;

/**
 * Writes a container's log as the workload wrote it: each stream to its own, parts of lines put
 * together.
 */
public final class LogPrinter {

  private final OutputStream out;
  private final OutputStream err;
  private final boolean timestamps;
  private boolean outGoesOn;
  private boolean errGoesOn;

  /**
   * @param timestamps put the time before each line
   */
  public LogPrinter(OutputStream out, OutputStream err, boolean timestamps) {
    this.out = out;
    this.err = err;
    this.timestamps = timestamps;
  }

  /**
   * Prints one raw line of the file; a line that is not in the format is printed as it is, to
   * {@code err}.
   */
  public void print(byte[] raw) throws IOException {
    LogLine line = LogLine.parse(raw).orElse(null);
    if (line == null) {
      err.write(raw);
      err.write('\n');
      return;
    }
    OutputStream stream = line.isError() ? err : out;
    boolean goesOn = line.isError() ? errGoesOn : outGoesOn;
    if (timestamps && !goesOn) {
      stream.write((line.time() + " ").getBytes(java.nio.charset.StandardCharsets.US_ASCII));
    }
    stream.write(line.text());
    if (!line.isPartial()) {
      stream.write('\n');
    }
    if (line.isError()) {
      errGoesOn = line.isPartial();
    } else {
      outGoesOn = line.isPartial();
    }
  }

  public void flush() throws IOException {
    out.flush();
    err.flush();
  }
}
