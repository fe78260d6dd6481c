package io.keelson.device.allocation;

import io.keelson.linux.AtomicFile;
import io.keelson.proto.record.v1.DeviceAllocation;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The checkpoints of allocations, one file each. Calls for one allocation must not overlap. */
final class AllocationFiles {

  private static final Logger log = LoggerFactory.getLogger(AllocationFiles.class);

  private final Path folder;

  AllocationFiles(Path folder) throws IOException {
    this.folder = Files.createDirectories(folder);
  }

  /** All that are there. One that can't be read is told and left alone. */
  List<DeviceAllocation> load() throws IOException {
    List<DeviceAllocation> found = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
      for (Path entry : entries) {
        try {
          DeviceAllocation allocation = DeviceAllocation.parseFrom(Files.readAllBytes(entry));
          if (entry.equals(file(allocation))) {
            found.add(allocation);
          } else {
            Files.delete(entry); // a temporary file of a daemon that was killed
          }
        } catch (NoSuchFileException e) {
          // It was given back while we looked.
        } catch (IOException e) {
          log.atError()
              .setCause(e)
              .addKeyValue("file", entry)
              .log("the record of an allocation is broken: its devices count as free");
        }
      }
    }
    return found;
  }

  /** On disk when it returns: who is told of a device must find it held after a power cut. */
  void save(DeviceAllocation allocation) throws IOException {
    AtomicFile.write(file(allocation), allocation.toByteArray(), true);
  }

  void delete(DeviceAllocation allocation) throws IOException {
    Files.deleteIfExists(file(allocation));
  }

  /** Names of pods and resources hold all kinds of characters; their hash does not. */
  private Path file(DeviceAllocation allocation) {
    AllocationKey key = AllocationKey.of(allocation);
    String text = key.podUid() + '\0' + key.container() + '\0' + key.resource();
    return folder.resolve(UUID.nameUUIDFromBytes(text.getBytes(StandardCharsets.UTF_8)).toString());
  }
}
