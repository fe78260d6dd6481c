package io.keelson.integration.harness;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import io.keelson.proto.record.v1.ContainerRecord;
import io.keelson.proto.record.v1.PublicationRecord;
import io.keelson.proto.record.v1.SandboxRecord;
import io.keelson.proto.record.v1.VolumeRecord;
import io.keelson.sandbox.RecordStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** The records of a node that say in which boot they were written. The daemon does not run. */
record BootRecords(Path root) {

  private static final String OTHER = "00000000-0000-4000-8000-000000000000";

  void ofAnotherBoot() throws IOException {
    change(root.resolve("sandboxes"), SandboxRecord.parser());
    change(root.resolve("containers"), ContainerRecord.parser());
    change(root.resolve("volumes/volumes"), VolumeRecord.parser());
    change(root.resolve("volumes/publications"), PublicationRecord.parser());
  }

  private static <R extends Message> void change(Path folder, Parser<R> parser) throws IOException {
    RecordStore<R> store = new RecordStore<>(folder, parser);
    for (Map.Entry<String, R> found : store.loadAll().whole().entrySet()) {
      R record = found.getValue();
      FieldDescriptor boot = record.getDescriptorForType().findFieldByName("boot_id");
      if (!record.getField(boot).equals("")) {
        store.save(
            found.getKey(),
            parser.parseFrom(record.toBuilder().setField(boot, OTHER).build().toByteString()),
            RecordStore.Durability.DAEMON);
      }
    }
  }
}
