package io.keelson.linux.netlink;

/** One message for the kernel, with the words by which an error names it. Immutable. */
final class Request {

  private final String description;
  private final byte[] message;

  Request(String description, MessageWriter message) {
    this.description = description;
    this.message = message.toBytes();
  }

  String description() {
    return description;
  }

  int length() {
    return Datagram.align(message.length);
  }

  void copyTo(byte[] target, int offset) {
    System.arraycopy(message, 0, target, offset, message.length);
  }
}
