package io.keelson.image.archive;

import java.nio.charset.StandardCharsets;

/** The 512 bytes before each member of a tar. */
final class TarHeader {

  private final byte[] block;

  TarHeader(byte[] block) {
    this.block = block;
  }

  /** The sum of all bytes with the sum's own field as blanks; old writers took bytes as signed. */
  void verifyChecksum() throws MalformedArchiveException {
    long expected = TarNumbers.number(block, 148, 8);
    long unsigned = 0;
    long signed = 0;
    for (int i = 0; i < TarReader.BLOCK; i++) {
      byte value = i >= 148 && i < 156 ? (byte) ' ' : block[i];
      unsigned += value & 0xff;
      signed += value;
    }
    if (expected != unsigned && expected != signed) {
      throw new MalformedArchiveException("no tar, or a damaged one: a header's checksum is wrong");
    }
  }

  char type() {
    return (char) (block[156] & 0xff);
  }

  TarEntry.Type entryType(String name) throws MalformedArchiveException {
    return switch (type()) {
      case '0', '\0', '7', 'S' ->
          // Version 7 has no type for folders.
          name.endsWith("/") && type() != 'S' ? TarEntry.Type.FOLDER : TarEntry.Type.FILE;
      case '1' -> TarEntry.Type.HARD_LINK;
      case '2' -> TarEntry.Type.SYMBOLIC_LINK;
      case '3' -> TarEntry.Type.CHARACTER_DEVICE;
      case '4' -> TarEntry.Type.BLOCK_DEVICE;
      case '5', 'D' -> TarEntry.Type.FOLDER;
      case '6' -> TarEntry.Type.FIFO;
      default ->
          throw new MalformedArchiveException(
              "entry \"%s\" has the unknown type 0x%02x".formatted(name, (int) type()));
    };
  }

  String name() {
    String name = text(0, 100);
    if (isUstar()) {
      String prefix = text(345, 155);
      return prefix.isEmpty() ? name : prefix + "/" + name;
    }
    return name;
  }

  String linkName() {
    return text(157, 100);
  }

  int mode() throws MalformedArchiveException {
    return (int) (TarNumbers.number(block, 100, 8) & 07777);
  }

  long uid() throws MalformedArchiveException {
    return TarNumbers.number(block, 108, 8);
  }

  long gid() throws MalformedArchiveException {
    return TarNumbers.number(block, 116, 8);
  }

  long size() throws MalformedArchiveException {
    return TarNumbers.number(block, 124, 12);
  }

  long modified() throws MalformedArchiveException {
    return TarNumbers.number(block, 136, 12);
  }

  int major() throws MalformedArchiveException {
    return deviceNumber(329);
  }

  int minor() throws MalformedArchiveException {
    return deviceNumber(337);
  }

  /** A number at any place, for what only some formats have. */
  long number(int offset, int length) throws MalformedArchiveException {
    return TarNumbers.number(block, offset, length);
  }

  boolean isSet(int offset) {
    return block[offset] != 0;
  }

  private int deviceNumber(int offset) throws MalformedArchiveException {
    long number = TarNumbers.number(block, offset, 8);
    if (number < 0 || number > 0xffffffffL) {
      throw new MalformedArchiveException("impossible device number " + number);
    }
    return (int) number;
  }

  // GNU's magic is "ustar" with a blank, and its headers use the place of the prefix for other
  // things.
  private boolean isUstar() {
    return text(257, 6).equals("ustar") && block[262] == 0;
  }

  private String text(int offset, int length) {
    int end = offset;
    while (end < offset + length && block[end] != 0) {
      end++;
    }
    return new String(block, offset, end - offset, StandardCharsets.ISO_8859_1);
  }
}
