package io.keelson.linux.cgroup;

import io.keelson.linux.cgroup.CgroupUsage.HugePages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Reads the files of the hugetlb controller, which have the size of the pages in their names. */
final class HugePageFiles {

  private static final String PREFIX = "hugetlb.";

  private HugePageFiles() {}

  /** The names are those behind the size; {@code hits} is a number, or a table with {@code max}. */
  static List<HugePages> read(Path folder, String usage, @Nullable String peak, String hits)
      throws IOException {
    List<HugePages> result = new ArrayList<>();
    for (String size : sizes()) {
      OptionalLong used = CgroupFile.number(folder.resolve(PREFIX + size + "." + usage));
      if (used.isEmpty()) {
        continue;
      }
      Path hitsFile = folder.resolve(PREFIX + size + "." + hits);
      result.add(
          new HugePages(
              size,
              used.getAsLong(),
              peak == null
                  ? used.getAsLong()
                  : CgroupFile.number(folder.resolve(PREFIX + size + "." + peak))
                      .orElse(used.getAsLong()),
              peak == null
                  ? CgroupFile.table(hitsFile).getOrDefault("max", 0L)
                  : CgroupFile.number(hitsFile).orElse(0)));
    }
    return result;
  }

  /** Of this kernel, as the files name them: {@code 2MB}, {@code 1GB}. */
  private static List<String> sizes() throws IOException {
    Path folder = Path.of("/sys/kernel/mm/hugepages");
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.map(entry -> name(entry.getFileName().toString())).sorted().toList();
    }
  }

  /** {@code hugepages-2048kB} as {@code 2MB}. */
  static String name(String folder) {
    long kilobytes = Long.parseLong(folder.replaceAll("[^0-9]", ""));
    if (kilobytes >= 1 << 20) {
      return (kilobytes >> 20) + "GB";
    }
    return kilobytes >= 1 << 10 ? (kilobytes >> 10) + "MB" : kilobytes + "KB";
  }
}
