package io.keelson.cni.bridge;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.keelson.linux.netlink.IpPrefix;
import io.keelson.linux.netlink.IpText;
import java.io.IOException;
import java.nio.file.Path;

/** Writes the result of an attachment as a plugin would print it (CNI spec 1.1, section 5). */
final class ResultJson {

  private static final JsonMapper MAPPER = new JsonMapper();
  private static final int POD_INTERFACE = 2;

  private ResultJson() {}

  static String of(HostBridge bridge, PodLink link, Path netns) throws IOException {
    ObjectNode result = MAPPER.createObjectNode().put("cniVersion", "1.1.0");
    ArrayNode interfaces = result.putArray("interfaces");
    interfaces.add(interfaceOf(bridge.name(), bridge.mac().toString(), bridge));
    interfaces.add(interfaceOf(link.hostName(), link.hostMac().toString(), bridge));
    interfaces.add(
        interfaceOf(PodLink.POD_END, link.mac().toString(), bridge)
            .put("sandbox", netns.toString()));
    ArrayNode ips = result.putArray("ips");
    ArrayNode routes = result.putArray("routes");
    for (IpPrefix address : link.addresses()) {
      String gateway = IpText.of(bridge.gatewayOf(address).address());
      ips.addObject()
          .put("interface", POD_INTERFACE)
          .put("address", address.toString())
          .put("gateway", gateway);
      routes.addObject().put("dst", address.isIpv4() ? "0.0.0.0/0" : "::/0").put("gw", gateway);
    }
    result.putObject("dns");
    return MAPPER.writeValueAsString(result);
  }

  private static ObjectNode interfaceOf(String name, String mac, HostBridge bridge) {
    return MAPPER.createObjectNode().put("name", name).put("mac", mac).put("mtu", bridge.mtu());
  }
}
