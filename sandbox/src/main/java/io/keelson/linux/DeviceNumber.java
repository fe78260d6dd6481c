package io.keelson.linux;

/** The number of a device as the kernel's own interfaces say it (makedev(3)). */
public record DeviceNumber(int major, int minor) {

  /** From the one number that stat(2) has for both. */
  public static DeviceNumber of(long number) {
    return new DeviceNumber(
        (int) ((number >>> 8 & 0xfff) | (number >>> 32 & ~0xfffL)),
        (int) ((number & 0xff) | (number >>> 12 & ~0xffL)));
  }
}
