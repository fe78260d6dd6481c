package io.keelson.linux;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Files as block devices (loop(4)). */
public final class LoopDevices {

  private static final long LOOP_CLR_FD = 0x4C01;
  private static final long LOOP_SET_CAPACITY = 0x4C07;
  private static final long LOOP_CONFIGURE = 0x4C0A;
  private static final long LOOP_CTL_GET_FREE = 0x4C82;

  /** struct loop_config: a descriptor, a block size, struct loop_info64, and what is to come. */
  private static final int CONFIG_SIZE = 304;

  private static final int FLAGS_OFFSET = 8 + 52;
  private static final int FILE_NAME_OFFSET = 8 + 56;
  private static final int FILE_NAME_SIZE = 64;
  private static final int LO_FLAGS_READ_ONLY = 1;

  /** Others take free devices too: the one just found may be taken. */
  private static final int TRIES = 64;

  private LoopDevices() {}

  /**
   * Makes a device of a file; one that is there already is answered.
   *
   * @return the device, {@code /dev/loopN}
   */
  public static Path attach(Path file, boolean readOnly) throws IOException {
    Optional<Path> there = find(file, readOnly);
    return there.isPresent() ? there.get() : attachNew(file, readOnly);
  }

  private static Path attachNew(Path file, boolean readOnly) throws IOException {
    int mode = readOnly ? Fd.O_RDONLY : Fd.O_RDWR;
    try (Fd backing = Fd.open(file, mode, 0);
        Fd control = Fd.open(Path.of("/dev/loop-control"), Fd.O_RDWR, 0)) {
      for (int attempt = 0; attempt < TRIES; attempt++) {
        int number = LibC.ioctl(control.number(), LOOP_CTL_GET_FREE, null);
        if (number < 0) {
          throw LibC.failure("ioctl(/dev/loop-control, LOOP_CTL_GET_FREE)");
        }
        Path device = Path.of("/dev/loop" + number);
        if (configure(device, mode, backing, file, readOnly)) {
          return device;
        }
      }
    }
    throw new IOException("no free loop device for " + file + " after " + TRIES + " tries");
  }

  private static boolean configure(Path device, int mode, Fd backing, Path file, boolean readOnly)
      throws ErrnoException {
    try (Fd loop = Fd.open(device, mode, 0);
        Memory config = new Memory(CONFIG_SIZE)) {
      config.clear();
      config.setInt(0, backing.number());
      config.setInt(FLAGS_OFFSET, readOnly ? LO_FLAGS_READ_ONLY : 0);
      byte[] name = file.toString().getBytes(StandardCharsets.UTF_8);
      config.write(FILE_NAME_OFFSET, name, 0, Math.min(name.length, FILE_NAME_SIZE - 1));
      if (LibC.ioctl(loop.number(), LOOP_CONFIGURE, config) == 0) {
        return true;
      }
      int errno = Native.getLastError();
      if (errno == Errno.EBUSY) {
        return false;
      }
      throw new ErrnoException("ioctl(" + device + ", LOOP_CONFIGURE, " + file + ")", errno);
    }
  }

  /** The device of a file that is writable, or is not. */
  public static Optional<Path> find(Path file, boolean readOnly) throws IOException {
    for (Path device : all(file)) {
      Path sys = Path.of("/sys/block").resolve(String.valueOf(device.getFileName()));
      if (Files.readString(sys.resolve("ro")).strip().equals(readOnly ? "1" : "0")) {
        return Optional.of(device);
      }
    }
    return Optional.empty();
  }

  /** All devices of a file. */
  public static List<Path> all(Path file) throws IOException {
    List<Path> found = new ArrayList<>();
    try (DirectoryStream<Path> devices = Files.newDirectoryStream(Path.of("/sys/block"), "loop*")) {
      for (Path device : devices) {
        try {
          String backing = Files.readString(device.resolve("loop/backing_file")).strip();
          if (backing.equals(file.toString())) {
            found.add(Path.of("/dev").resolve(String.valueOf(device.getFileName())));
          }
        } catch (NoSuchFileException e) {
          // A device without a file.
        }
      }
    }
    return found;
  }

  /** Takes a device away, as soon as nobody uses it any more. Harmless if it has no file. */
  public static void detach(Path device) throws ErrnoException {
    try (Fd loop = Fd.open(device, Fd.O_RDONLY, 0)) {
      if (LibC.ioctl(loop.number(), LOOP_CLR_FD, null) < 0
          && Native.getLastError() != Errno.ENXIO) {
        throw LibC.failure("ioctl(" + device + ", LOOP_CLR_FD)");
      }
    }
  }

  /** The file has grown: the device does too. */
  public static void resize(Path device) throws ErrnoException {
    try (Fd loop = Fd.open(device, Fd.O_RDONLY, 0)) {
      if (LibC.ioctl(loop.number(), LOOP_SET_CAPACITY, null) < 0) {
        throw LibC.failure("ioctl(" + device + ", LOOP_SET_CAPACITY)");
      }
    }
  }
}
