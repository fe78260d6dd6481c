package io.keelson.runtime.cli;

import io.keelson.proto.cri.v1.PortMapping;
import io.keelson.proto.cri.v1.Protocol;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code [ADDRESS:]HOST:CONTAINER[/tcp|udp|sctp]}, an IPv6 address in brackets. */
final class PortFlag {

  private static final Pattern FORM =
      Pattern.compile(
          "(?:(?<address>[0-9.]+|\\[[0-9a-fA-F:.]+]):)?(?<host>[0-9]{1,5}):(?<container>[0-9]{1,5})"
              + "(?:/(?<protocol>tcp|udp|sctp))?");

  private PortFlag() {}

  static PortMapping parse(String text) {
    Matcher matcher = FORM.matcher(text);
    if (!matcher.matches()) {
      throw CommandException.usage(
          "\""
              + text
              + "\" is no port mapping; write HOST:CONTAINER, ADDRESS:HOST:CONTAINER, or"
              + " either with /udp or /sctp at the end");
    }
    String address = matcher.group("address");
    String protocol = matcher.group("protocol");
    return PortMapping.newBuilder()
        .setHostIp(address == null ? "" : address.replaceAll("[\\[\\]]", ""))
        .setHostPort(port(matcher.group("host"), text))
        .setContainerPort(port(matcher.group("container"), text))
        .setProtocol(
            protocol == null ? Protocol.TCP : Protocol.valueOf(protocol.toUpperCase(Locale.ROOT)))
        .build();
  }

  private static int port(String digits, String text) {
    int port = Integer.parseInt(digits);
    if (port < 1 || port > 65_535) {
      throw CommandException.usage("there is no port " + port + ", as in \"" + text + "\"");
    }
    return port;
  }
}
