package io.keelson.sandbox;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A record as readers see it until the next is written, with what lists say of it: a node's lists
 * are asked for far more often than anything in them changes, so that is serialised but once. Safe
 * for use by many threads.
 *
 * @param <R> the record
 */
final class Snapshot<R> {

  private final R record;
  private final Function<R, MessageLite> toItem;
  private volatile @Nullable ByteString item;

  Snapshot(R record, Function<R, MessageLite> toItem) {
    this.record = record;
    this.toItem = toItem;
  }

  R record() {
    return record;
  }

  /** An item of a list, serialised. */
  ByteString item() {
    ByteString made = item;
    if (made == null) {
      made = toItem.apply(record).toByteString();
      item = made;
    }
    return made;
  }
}
