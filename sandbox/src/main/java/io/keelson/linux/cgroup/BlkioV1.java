package io.keelson.linux.cgroup;

import io.keelson.linux.DeviceNumber;
import io.keelson.linux.DiskActivity;
import io.keelson.linux.cgroup.CgroupUsage.BlockDevice;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The files of the blkio controller (admin-guide/cgroup-v1/blkio-controller), whose lines are of
 * the form {@code 8:0 Read 4096}. Sync and Async count once more what Read and Write have counted.
 */
final class BlkioV1 {

  /** Who may have counted: BFQ, and before Linux 5.0 CFQ, each with the kernel's debugging. */
  private static final List<String> SCHEDULERS = List.of("blkio.bfq.", "blkio.");

  private BlkioV1() {}

  static List<BlockDevice> devices(Path folder) throws IOException {
    Map<DeviceNumber, Map<String, Long>> bytes =
        table(folder, "blkio.throttle.io_service_bytes_recursive");
    Map<DeviceNumber, Map<String, Long>> operations =
        table(folder, "blkio.throttle.io_serviced_recursive");
    Set<DeviceNumber> numbers = new LinkedHashSet<>(bytes.keySet());
    numbers.addAll(operations.keySet());
    List<BlockDevice> devices = new ArrayList<>();
    for (DeviceNumber number : numbers) {
      devices.add(
          new BlockDevice(
              number.major(),
              number.minor(),
              value(bytes, number, "Read"),
              value(bytes, number, "Write"),
              value(operations, number, "Read"),
              value(operations, number, "Write")));
    }
    return devices;
  }

  /** Of the devices whose scheduler keeps it; few kernels are made so. */
  static List<DiskActivity> activity(Path folder) throws IOException {
    for (String scheduler : SCHEDULERS) {
      Map<DeviceNumber, Map<String, Long>> merged =
          table(folder, scheduler + "io_merged_recursive");
      if (!merged.isEmpty()) {
        return activity(
            merged,
            table(folder, scheduler + "io_service_time_recursive"),
            table(folder, scheduler + "io_queued_recursive"));
      }
    }
    return List.of();
  }

  private static List<DiskActivity> activity(
      Map<DeviceNumber, Map<String, Long>> merged,
      Map<DeviceNumber, Map<String, Long>> nanos,
      Map<DeviceNumber, Map<String, Long>> queued) {
    List<DiskActivity> activity = new ArrayList<>();
    for (DeviceNumber device : merged.keySet()) {
      activity.add(
          new DiskActivity(
              device,
              value(merged, device, "Read"),
              value(merged, device, "Write"),
              value(nanos, device, "Read"),
              value(nanos, device, "Write"),
              value(nanos, device, "Total"),
              OptionalLong.empty(),
              value(queued, device, "Total")));
    }
    return activity;
  }

  private static long value(
      Map<DeviceNumber, Map<String, Long>> table, DeviceNumber device, String operation) {
    return table.getOrDefault(device, Map.of()).getOrDefault(operation, 0L);
  }

  /** By device and operation, in the file's order; empty if there is no such file. */
  private static Map<DeviceNumber, Map<String, Long>> table(Path folder, String file)
      throws IOException {
    Optional<String> text = CgroupFolders.read(folder.resolve(file));
    if (text.isEmpty()) {
      return Map.of();
    }
    Map<DeviceNumber, Map<String, Long>> table = new LinkedHashMap<>();
    for (String line : text.get().split("\n", -1)) {
      String[] words = line.split(" ", -1);
      int colon = words[0].indexOf(':');
      if (words.length == 3 && colon > 0) {
        DeviceNumber device =
            new DeviceNumber(
                Integer.parseInt(words[0].substring(0, colon)),
                Integer.parseInt(words[0].substring(colon + 1)));
        table
            .computeIfAbsent(device, _ -> new LinkedHashMap<>())
            .put(words[1], Long.parseLong(words[2]));
      }
    }
    return table;
  }
}
