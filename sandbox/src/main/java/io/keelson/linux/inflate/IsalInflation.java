package io.keelson.linux.inflate;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.util.zip.DataFormatException;

/**
 * ISA-L, in less than half of zlib's time; inflating is half of what a gzip layer costs with zlib.
 * Takes some 220 KiB outside of the heap until it is closed.
 *
 * <p>Of the library's {@code struct inflate_state} only those fields are used that its callers set,
 * and they are at its head: what lies behind may be arranged anew by a later version.
 */
public final class IsalInflation implements Inflation {

  private static final int MAX_OUTPUT = 64 * 1024;

  /** More than the 86 KiB that the state takes. */
  private static final int STATE = 96 * 1024;

  private static final int NEXT_OUT = 0;
  private static final int AVAIL_OUT = 8;
  private static final int NEXT_IN = 16;
  private static final int AVAIL_IN = 32;
  private static final int READ_IN_LENGTH = 36;

  /** Also ISAL_END_INPUT and ISAL_OUT_OVERFLOW, which say what the counters say, too. */
  private static final int LAST_GOOD_RESULT = 2;

  private static final boolean AVAILABLE = works();

  private final Memory state = new Memory(STATE);
  private final Memory input = new Memory(MAX_INPUT);
  private final Memory output = new Memory(MAX_OUTPUT);
  private boolean outputPending;
  private boolean finished;

  /** To be called where {@link #isAvailable} says so. */
  public IsalInflation() {
    state.clear();
    IsalCalls.isal_inflate_init(Pointer.nativeValue(state));
  }

  /** Whether this host has the library, and it does what it should. */
  public static boolean isAvailable() {
    return AVAILABLE;
  }

  private static boolean works() {
    // "keelson" as it is, and three more letters by a reference to what is seven letters back.
    byte[] sample = {0, 7, 0, -8, -1, 'k', 'e', 'e', 'l', 's', 'o', 'n', 3, 82, 0, 0, 0};
    byte[] result = new byte[16];
    try (IsalInflation inflater = new IsalInflation()) {
      inflater.setInput(sample, 0, sample.length);
      int count = inflater.inflate(result, 0, result.length);
      int more = inflater.inflate(result, 0, result.length);
      return count == 10 && result[9] == 'e' && more == 0 && inflater.endsHere();
    } catch (LinkageError | DataFormatException e) {
      return false;
    }
  }

  @Override
  public void reset() {
    IsalCalls.isal_inflate_reset(Pointer.nativeValue(state));
    state.setInt(AVAIL_IN, 0);
    outputPending = false;
    finished = false;
  }

  @Override
  public void setInput(byte[] data, int offset, int length) {
    input.write(0, data, offset, length);
    state.setLong(NEXT_IN, Pointer.nativeValue(input));
    state.setInt(AVAIL_IN, length);
  }

  @Override
  public boolean needsInput() {
    return !finished && !outputPending && state.getInt(AVAIL_IN) == 0;
  }

  @Override
  public int inflate(byte[] target, int offset, int length) throws DataFormatException {
    int room = Math.min(length, MAX_OUTPUT);
    int given = state.getInt(AVAIL_IN);
    state.setLong(NEXT_OUT, Pointer.nativeValue(output));
    state.setInt(AVAIL_OUT, room);
    int result = IsalCalls.isal_inflate(Pointer.nativeValue(state));
    if (result < 0 || result > LAST_GOOD_RESULT) {
      throw new DataFormatException("ISA-L says " + result);
    }
    int left = state.getInt(AVAIL_OUT);
    outputPending = left == 0;
    // There was something to do and room for it: only after the end is nothing done.
    finished = left == room && given > 0 && state.getInt(AVAIL_IN) == given;
    output.read(0, target, offset, room - left);
    return room - left;
  }

  @Override
  public boolean finished() {
    return finished;
  }

  @Override
  public boolean endsHere() throws DataFormatException {
    byte[] nothing = new byte[1];
    if (!finished && needsInput()) {
      setInput(nothing, 0, 1);
      inflate(nothing, 0, 1);
      state.setInt(AVAIL_IN, 0);
    }
    return finished;
  }

  @Override
  public int remaining() {
    return state.getInt(AVAIL_IN);
  }

  @Override
  public int taken() {
    return state.getInt(READ_IN_LENGTH) / Byte.SIZE;
  }

  @Override
  public void close() {
    state.close();
    input.close();
    output.close();
  }
}
