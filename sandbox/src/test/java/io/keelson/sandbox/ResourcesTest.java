package io.keelson.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.proto.cri.v1.HugepageLimit;
import io.keelson.proto.cri.v1.LinuxContainerResources;
import org.junit.jupiter.api.Test;

class ResourcesTest {

  @Test
  void whatTheChangeDoesNotNameStays() {
    LinuxContainerResources before =
        LinuxContainerResources.newBuilder()
            .setCpuShares(512)
            .setMemoryLimitInBytes(64 << 20)
            .putUnified("memory.high", "1")
            .build();
    LinuxContainerResources change =
        LinuxContainerResources.newBuilder()
            .setMemoryLimitInBytes(128 << 20)
            .putUnified("pids.max", "7")
            .build();

    LinuxContainerResources merged = Resources.merge(before, change);

    assertThat(merged.getCpuShares()).isEqualTo(512);
    assertThat(merged.getMemoryLimitInBytes()).isEqualTo(128 << 20);
    assertThat(merged.getUnifiedMap()).containsOnlyKeys("memory.high", "pids.max");
  }

  @Test
  void hugepageLimitsAreReplacedBySize() {
    LinuxContainerResources merged =
        Resources.merge(hugepages("2MB", 1), hugepages("2MB", 5).toBuilder().build());

    assertThat(merged.getHugepageLimitsList()).containsExactly(limit("2MB", 5));
  }

  private static LinuxContainerResources hugepages(String size, long bytes) {
    return LinuxContainerResources.newBuilder().addHugepageLimits(limit(size, bytes)).build();
  }

  private static HugepageLimit limit(String size, long bytes) {
    return HugepageLimit.newBuilder().setPageSize(size).setLimit(bytes).build();
  }
}
