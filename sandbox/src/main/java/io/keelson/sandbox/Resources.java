package io.keelson.sandbox;

import io.keelson.proto.cri.v1.HugepageLimit;
import io.keelson.proto.cri.v1.LinuxContainerResources;
import java.util.LinkedHashMap;
import java.util.Map;

/** The arithmetic of resource updates. */
final class Resources {

  private Resources() {}

  /** What {@code change} names (is not zero or empty) over what was in force. */
  static LinuxContainerResources merge(
      LinuxContainerResources before, LinuxContainerResources change) {
    LinuxContainerResources.Builder merged = before.toBuilder().clearHugepageLimits();
    // protobuf's own merge replaces scalars that are set and joins maps; repeated fields it would
    // append.
    merged.mergeFrom(change.toBuilder().clearHugepageLimits().build());
    Map<String, HugepageLimit> hugepages = new LinkedHashMap<>();
    before.getHugepageLimitsList().forEach(limit -> hugepages.put(limit.getPageSize(), limit));
    change.getHugepageLimitsList().forEach(limit -> hugepages.put(limit.getPageSize(), limit));
    return merged.addAllHugepageLimits(hugepages.values()).build();
  }
}
