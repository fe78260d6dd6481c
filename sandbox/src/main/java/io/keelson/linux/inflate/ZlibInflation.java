package io.keelson.linux.inflate;

import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/** The JDK's zlib, which is everywhere. */
public final class ZlibInflation implements Inflation {

  private final Inflater inflater = new Inflater(true);

  @Override
  public void reset() {
    inflater.reset();
  }

  @Override
  public void setInput(byte[] data, int offset, int length) {
    inflater.setInput(data, offset, length);
  }

  @Override
  public boolean needsInput() {
    return inflater.needsInput();
  }

  @Override
  public int inflate(byte[] target, int offset, int length) throws DataFormatException {
    int count = inflater.inflate(target, offset, length);
    if (inflater.needsDictionary()) {
      throw new DataFormatException("a dictionary is needed");
    }
    return count;
  }

  @Override
  public boolean finished() {
    return inflater.finished();
  }

  @Override
  public boolean endsHere() {
    return inflater.finished();
  }

  @Override
  public int remaining() {
    return inflater.getRemaining();
  }

  @Override
  public int taken() {
    return 0;
  }

  @Override
  public void close() {
    inflater.end();
  }
}
