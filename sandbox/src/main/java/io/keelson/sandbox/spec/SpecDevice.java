package io.keelson.sandbox.spec;

/**
 * A device node that the runtime makes in the container (OCI runtime spec, {@code linux.devices}).
 *
 * @param path absolute path in the container
 * @param kind character or block
 * @param fileMode permission bits
 * @param uid owner in the container
 * @param gid group in the container
 */
public record SpecDevice(
    String path, Kind kind, long major, long minor, int fileMode, long uid, long gid) {

  /** What the kernel calls the type of a device, or all types in a rule. */
  public enum Kind {
    CHARACTER("c"),
    BLOCK("b"),
    FIFO("p"),
    ALL("a");

    private final String letter;

    Kind(String letter) {
      this.letter = letter;
    }

    public String letter() {
      return letter;
    }
  }
}
