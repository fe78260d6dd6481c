package io.keelson.runtime.server;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import com.google.protobuf.UnknownFieldSet;
import java.util.List;

/**
 * Answers put together from items that are serialised already. They are the same on the wire; who
 * holds such an answer in memory finds the items in its unknown fields only.
 */
final class SerializedItems {

  private SerializedItems() {}

  /**
   * @param field the number of the answer's repeated field
   */
  @SuppressWarnings("unchecked") // a builder builds what it was made for
  static <T extends Message> T answer(T empty, int field, List<ByteString> items) {
    UnknownFieldSet.Field.Builder repeated = UnknownFieldSet.Field.newBuilder();
    items.forEach(repeated::addLengthDelimited);
    UnknownFieldSet fields = UnknownFieldSet.newBuilder().addField(field, repeated.build()).build();
    return (T) empty.newBuilderForType().setUnknownFields(fields).build();
  }
}
