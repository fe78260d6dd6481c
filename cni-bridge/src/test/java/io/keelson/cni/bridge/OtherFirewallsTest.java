package io.keelson.cni.bridge;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class OtherFirewallsTest {

  @Test
  void aChainThatDropsForwardedPacketsIsNamedWithItsCure() throws IOException {
    try (TestNode node = new TestNode()) {
      node.sh("nft 'add table ip filter'");
      node.sh(
          "nft 'add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }'");
      node.sh(
          "nft 'add chain ip filter INPUT { type filter hook input priority 0; policy drop; }'");
      byte[] chains = node.sh("nft -j list chains").getBytes(StandardCharsets.UTF_8);
      List<String> obstacles = OtherFirewalls.obstacles(chains, "keelson0");
      assertThat(obstacles).hasSize(1);
      assertThat(obstacles.getFirst())
          .contains("nft insert rule ip filter FORWARD iifname keelson0 accept");
    }
  }

  @Test
  void withoutAFirewallThereIsNoObstacle() throws IOException {
    try (TestNode node = new TestNode()) {
      byte[] chains = node.sh("nft -j list chains").getBytes(StandardCharsets.UTF_8);
      assertThat(OtherFirewalls.obstacles(chains, "keelson0")).isEmpty();
    }
  }
}
