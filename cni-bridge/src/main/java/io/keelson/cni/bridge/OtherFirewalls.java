package io.keelson.cni.bridge;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Finds rules of others that would keep pods from other networks. No rule of ours can let a packet
 * pass that another table drops, so all that can be done is to say so.
 */
final class OtherFirewalls {

  private static final JsonMapper MAPPER = new JsonMapper();

  private OtherFirewalls() {}

  /**
   * Sentences for the log: what is in the way, and what cures it.
   *
   * @param chains the output of {@code nft -j list chains}
   * @param bridge name of the link that must be let through
   */
  static List<String> obstacles(byte[] chains, String bridge) throws IOException {
    List<String> obstacles = new ArrayList<>();
    boolean firewalld = false;
    for (JsonNode entry : MAPPER.readTree(chains).path("nftables")) {
      JsonNode chain = entry.path("chain");
      String table = chain.path("family").asText() + " " + chain.path("table").asText();
      firewalld |= table.equals("inet firewalld");
      if (chain.path("hook").asText().equals("forward")
          && chain.path("policy").asText().equals("drop")) {
        obstacles.add(
            ("the firewall chain \"%1$s %2$s\" drops what it does not know, so pods reach other"
                    + " networks only if it accepts %3$s: nft insert rule %1$s %2$s iifname %3$s"
                    + " accept; nft insert rule %1$s %2$s oifname %3$s accept")
                .formatted(table, chain.path("name").asText(), bridge));
      }
    }
    if (firewalld) {
      obstacles.add(
          ("firewalld rejects what is forwarded between links that it does not trust:"
                  + " firewall-cmd --permanent --zone=trusted --add-interface=%s"
                  + " && firewall-cmd --reload")
              .formatted(bridge));
    }
    return obstacles;
  }
}
