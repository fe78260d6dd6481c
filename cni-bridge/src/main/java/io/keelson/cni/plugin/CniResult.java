package io.keelson.cni.plugin;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What an ADD made (CNI spec 1.1, section 5, "ADD Success"), in the shape of one version of the
 * spec. Conversion keeps every field that the other version has too; nothing is converted between
 * versions that are alike.
 *
 * @param json never changed
 */
record CniResult(ObjectNode json, CniVersion version) {

  /** The JDK alone would take "7" for an address too. */
  private static final Pattern CIDR =
      Pattern.compile("(\\d+\\.\\d+\\.\\d+\\.\\d+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)/\\d+");

  /**
   * Reads what a plugin printed.
   *
   * @param asked the version of the call; a plugin that names none answers in this one
   * @throws IOException with a message that goes on after "its result"
   */
  static CniResult parse(ObjectNode printed, CniVersion asked) throws IOException {
    String named = printed.path("cniVersion").asText("");
    CniResult result;
    if (printed.has("ip4") || printed.has("ip6")) {
      result = fromFirstFormat(printed);
    } else if (named.isEmpty()) {
      ObjectNode json = printed.deepCopy();
      result = new CniResult(json.put("cniVersion", asked.text()), asked);
    } else {
      CniVersion version =
          CniVersion.of(named)
              .orElseThrow(() -> new IOException("is of the unknown CNI version " + named));
      result = new CniResult(printed, version);
    }
    return result.as(asked);
  }

  /** Versions 0.1.0 and 0.2.0: one address of each family, with the routes inside. */
  private static CniResult fromFirstFormat(ObjectNode old) {
    ObjectNode json = Json.object().put("cniVersion", CniVersion.V1_0_0.text());
    ArrayNode ips = json.putArray("ips");
    ArrayNode routes = json.putArray("routes");
    for (String family : List.of("ip4", "ip6")) {
      JsonNode from = old.path(family);
      if (!from.path("ip").isTextual()) {
        continue;
      }
      ObjectNode ip = ips.addObject().put("address", from.path("ip").asText());
      if (from.path("gateway").isTextual()) {
        ip.put("gateway", from.path("gateway").asText());
      }
      from.path("routes").forEach(routes::add);
    }
    if (old.path("dns").isObject()) {
      json.set("dns", old.path("dns"));
    }
    return new CniResult(json, CniVersion.V1_0_0);
  }

  /** The same result in the shape of another version. */
  CniResult as(CniVersion target) {
    if (target == version) {
      return this;
    }
    ObjectNode other = json.deepCopy();
    other.put("cniVersion", target.text());
    for (JsonNode ip : other.path("ips")) {
      if (ip instanceof ObjectNode entry) {
        convertAddress(entry, target);
      }
    }
    if (!target.atLeast(CniVersion.V1_1_0)) {
      for (JsonNode link : other.path("interfaces")) {
        if (link instanceof ObjectNode entry) {
          entry.remove(List.of("mtu", "socketPath", "pciID"));
        }
      }
      for (JsonNode route : other.path("routes")) {
        if (route instanceof ObjectNode entry) {
          entry.remove(List.of("mtu", "advmss", "priority", "table", "scope"));
        }
      }
    }
    return new CniResult(other, target);
  }

  private static void convertAddress(ObjectNode ip, CniVersion target) {
    if (target.atLeast(CniVersion.V1_0_0)) {
      ip.remove("version");
    } else if (!ip.has("version")) {
      ip.put("version", ip.path("address").asText().indexOf(':') >= 0 ? "6" : "4");
    }
  }

  /**
   * The addresses of one interface in the pod, IPv4 first, else in the plugin's order. An address
   * that names no interface is the pod's own.
   *
   * @throws IOException if there is none, or the result contradicts itself; the message goes on
   *     after "its result"
   */
  List<InetAddress> addresses(String interfaceName) throws IOException {
    JsonNode interfaces = json.path("interfaces");
    List<InetAddress> addresses = new ArrayList<>();
    for (JsonNode ip : json.path("ips")) {
      JsonNode index = ip.path("interface");
      if (index.isNumber()) {
        JsonNode link = interfaces.path(index.asInt());
        if (link.isMissingNode()) {
          throw new IOException(
              "has an address on interface " + index + " of " + interfaces.size());
        }
        if (!link.path("name").asText().equals(interfaceName) || isOutside(link, interfaces)) {
          continue;
        }
      }
      addresses.add(address(ip.path("address").asText()));
    }
    if (addresses.isEmpty()) {
      throw new IOException("has no address of " + interfaceName);
    }
    addresses.sort(Comparator.comparing(address -> !(address instanceof Inet4Address)));
    return addresses;
  }

  /** A link of the host, where some link of the same name is in the pod. */
  private static boolean isOutside(JsonNode link, JsonNode interfaces) {
    if (!link.path("sandbox").asText().isEmpty()) {
      return false;
    }
    for (JsonNode other : interfaces) {
      if (other.path("name").equals(link.path("name"))
          && !other.path("sandbox").asText().isEmpty()) {
        return true;
      }
    }
    return false;
  }

  private static InetAddress address(String cidr) throws IOException {
    Matcher address = CIDR.matcher(cidr);
    try {
      if (address.matches()) {
        return InetAddress.ofLiteral(address.group(1));
      }
    } catch (IllegalArgumentException e) {
      throw new IOException("has the address \"" + cidr + "\"", e);
    }
    throw new IOException("has the address \"" + cidr + "\"");
  }
}
