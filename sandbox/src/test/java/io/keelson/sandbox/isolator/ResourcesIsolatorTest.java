package io.keelson.sandbox.isolator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.IntNode;
import io.keelson.proto.cri.v1.HugepageLimit;
import io.keelson.proto.cri.v1.LinuxContainerResources;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.UnsupportedException;
import io.keelson.sandbox.isolator.HostFeatures.KernelVersion;
import io.keelson.sandbox.spec.SpecBuilder;
import io.keelson.sandbox.spec.SpecResources;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ResourcesIsolatorTest {

  @TempDir Path root;
  private Given given;

  @BeforeEach
  void given() {
    given = new Given(root);
  }

  @Test
  void writesWhatIsSetAndNothingElse() throws IOException {
    given
        .config
        .getLinuxBuilder()
        .setResources(
            LinuxContainerResources.newBuilder()
                .setCpuShares(512)
                .setCpuQuota(50000)
                .setCpuPeriod(100000)
                .setCpusetCpus("0-1")
                .setMemoryLimitInBytes(64 << 20)
                .setOomScoreAdj(900)
                .addHugepageLimits(HugepageLimit.newBuilder().setPageSize("2MB").setLimit(4 << 20))
                .putUnified("memory.high", "max"));
    JsonNode spec = Given.json(given.prepared(new ResourcesIsolator(Given.host(), 0)));
    assertThat(spec.at("/linux/cgroupsPath").asText()).isEqualTo("/pods/pod/app");
    assertThat(spec.at("/process/oomScoreAdj").asInt()).isEqualTo(900);
    assertThat(spec.at("/linux/resources"))
        .isEqualTo(
            new ObjectMapper()
                .readTree(
                    """
                    {"memory":{"limit":67108864,"swap":67108864},
                     "cpu":{"shares":512,"quota":50000,"period":100000,"cpus":"0-1"},
                     "hugepageLimits":[{"pageSize":"2MB","limit":4194304}],
                     "unified":{"memory.high":"max"}}
                    """));
  }

  @Test
  void swapIsAsAskedForOrLeftOutWhereItCantBeLimited() throws IOException {
    given
        .config
        .getLinuxBuilder()
        .getResourcesBuilder()
        .setMemoryLimitInBytes(100)
        .setMemorySwapLimitInBytes(300);
    assertThat(limits(Given.host()).memorySwap()).isEqualTo(300);
    assertThat(limits(v1()).memorySwap()).isNull();
    assertThat(limits(v1()).memoryLimit()).isEqualTo(100);
  }

  @Test
  void hugePagesAreToleratedWhereTheyCantBeLimited() throws IOException {
    given
        .config
        .getLinuxBuilder()
        .getResourcesBuilder()
        .addHugepageLimits(HugepageLimit.newBuilder().setPageSize("2MB"));
    assertThat(
            Given.json(given.prepared(new ResourcesIsolator(v1(), 0)))
                .at("/linux/resources/hugepageLimits")
                .isMissingNode())
        .isTrue();
  }

  @Test
  void unifiedKeysNeedTheUnifiedHierarchy() {
    given.config.getLinuxBuilder().getResourcesBuilder().putUnified("memory.min", "1");
    assertThatThrownBy(() -> given.prepared(new ResourcesIsolator(v1(), 0)))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("memory.min");
  }

  @Test
  void withoutResourcesTheOomScoreIsNotTheDaemonsOwn() throws IOException {
    assertThat(
            Given.json(given.prepared(new ResourcesIsolator(Given.host(), 0)))
                .at("/process/oomScoreAdj"))
        .isEqualTo(IntNode.valueOf(0));
  }

  @Test
  void oomScoreIsClampedToWhatTheDaemonMaySet() throws IOException {
    given.config.getLinuxBuilder().getResourcesBuilder().setOomScoreAdj(-997);
    assertThat(
            Given.json(given.prepared(new ResourcesIsolator(v1(), 0)))
                .at("/process/oomScoreAdj")
                .asInt())
        .isEqualTo(-5);
    assertThat(
            Given.json(given.prepared(new ResourcesIsolator(Given.host(), 0)))
                .at("/process/oomScoreAdj")
                .asInt())
        .isEqualTo(-997);
    given.config.getLinuxBuilder().getResourcesBuilder().setOomScoreAdj(1001);
    assertThatThrownBy(() -> given.prepared(new ResourcesIsolator(v1(), 0)))
        .isInstanceOf(InvalidRequestException.class);
  }

  @Test
  void anUpdateHoldsOnlyWhatIsToChange() throws IOException {
    SpecBuilder spec = new SpecBuilder();
    new ResourcesIsolator(Given.host(), 0)
        .update(
            given.context(), LinuxContainerResources.newBuilder().setCpuShares(2).build(), spec);
    assertThat(new String(spec.resources(), StandardCharsets.UTF_8))
        .isEqualTo("{\"cpu\":{\"shares\":2}}");
  }

  @Test
  void tasksAreLimitedAsTheNodeSaysUnlessTheContainerSaysSo() throws IOException {
    ResourcesIsolator limiting = new ResourcesIsolator(Given.host(), 500);
    assertThat(Given.json(given.prepared(limiting)).at("/linux/resources/pids/limit").asInt())
        .isEqualTo(500);
    given.config.getLinuxBuilder().getResourcesBuilder().putUnified("pids.max", "9");
    assertThat(Given.json(given.prepared(limiting)).at("/linux/resources/pids").isMissingNode())
        .isTrue();
  }

  private SpecResources limits(HostFeatures host) throws IOException {
    return given.prepared(new ResourcesIsolator(host, 0)).limits();
  }

  private static HostFeatures v1() {
    HostFeatures usual = Given.host();
    return new HostFeatures(
        false,
        false,
        false,
        List.of(),
        usual.capabilities(),
        -5,
        true,
        false,
        Optional.empty(),
        false,
        true,
        new KernelVersion(6, 1),
        "amd64");
  }
}
