package io.keelson.image.registry;

import io.keelson.linux.netlink.IpPrefix;
import java.io.IOException;
import java.net.Authenticator;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.PasswordAuthentication;
import java.net.Proxy;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Over which proxy a server is reached, by the environment as curl and Go read it: {@code
 * HTTP_PROXY}, {@code HTTPS_PROXY}, {@code NO_PROXY}, or the same in lower case. Servers on the
 * loopback are reached directly. Safe for use by many threads.
 */
final class Proxies {

  private static final Choice DIRECT = new Choice(Proxy.NO_PROXY, null, "");

  private final Choice http;
  private final Choice https;
  private final List<String> direct;

  /**
   * @param login answers the proxy that asks who it is, null if nothing is to be said
   * @param problem why it can't be used, {@code ""} if it can
   */
  record Choice(Proxy proxy, @Nullable Authenticator login, String problem) {}

  Proxies(Map<String, String> environment) {
    this.http = parse(variable(environment, "HTTP_PROXY"));
    this.https = parse(variable(environment, "HTTPS_PROXY"));
    this.direct =
        Arrays.stream(variable(environment, "NO_PROXY").split("[,\\s]+", -1))
            .map(rule -> rule.strip().toLowerCase(Locale.ROOT))
            .filter(rule -> !rule.isEmpty())
            .toList();
  }

  private static String variable(Map<String, String> environment, String name) {
    String upper = environment.getOrDefault(name, "");
    return upper.isEmpty() ? environment.getOrDefault(name.toLowerCase(Locale.ROOT), "") : upper;
  }

  /**
   * @throws IOException if the environment names what is no proxy
   */
  Choice of(URI server) throws IOException {
    boolean secure = server.getScheme().equals("https");
    Choice proxy = secure ? https : http;
    if (proxy.equals(DIRECT) || isDirect(server, secure)) {
      return DIRECT;
    }
    if (!proxy.problem().isEmpty()) {
      throw new IOException("the environment's proxy can't be used: " + proxy.problem());
    }
    return proxy;
  }

  private boolean isDirect(URI server, boolean secure) {
    String host = server.getHost().toLowerCase(Locale.ROOT);
    @Nullable InetAddress address = literal(host);
    if (host.equals("localhost") || (address != null && address.isLoopbackAddress())) {
      return true;
    }
    int port = server.getPort() >= 0 ? server.getPort() : secure ? 443 : 80;
    return direct.stream().anyMatch(rule -> matches(rule, host, address, port));
  }

  private static boolean matches(
      String rule, String host, @Nullable InetAddress address, int port) {
    if (rule.equals("*")) {
      return true;
    }
    if (rule.contains("/")) {
      return address != null && contains(rule, address);
    }
    String name = RegistryHost.hostOf(rule);
    boolean bareIpv6 = !rule.startsWith("[") && rule.indexOf(':') != rule.lastIndexOf(':');
    if (bareIpv6) {
      name = rule;
    } else if (name.length() < rule.length() && !rule.endsWith(":" + port)) {
      return false;
    }
    @Nullable InetAddress ruleAddress = literal(name);
    if (ruleAddress != null || address != null) {
      return ruleAddress != null && ruleAddress.equals(address);
    }
    String domain = name.startsWith("*.") ? name.substring(1) : name;
    if (domain.startsWith(".")) {
      return host.endsWith(domain);
    }
    return host.equals(domain) || host.endsWith("." + domain);
  }

  private static boolean contains(String prefix, InetAddress address) {
    try {
      return IpPrefix.parse(prefix).contains(address);
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  private static @Nullable InetAddress literal(String host) {
    try {
      return InetAddress.ofLiteral(
          host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host);
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  private static Choice parse(String text) {
    if (text.isEmpty()) {
      return DIRECT;
    }
    URI uri;
    try {
      uri = new URI(text.contains("://") ? text : "http://" + text);
    } catch (URISyntaxException e) {
      // Not the text: it may hold a password.
      return unusable("it is no URL");
    }
    if (uri.getHost() == null) {
      return unusable("it has no host");
    }
    Proxy.Type type =
        switch (uri.getScheme()) {
          case "http" -> Proxy.Type.HTTP;
          case "socks5", "socks5h" -> Proxy.Type.SOCKS;
          default -> Proxy.Type.DIRECT;
        };
    if (type == Proxy.Type.DIRECT) {
      return unusable("it must be one of http or socks5, not " + uri.getScheme());
    }
    int port = uri.getPort() >= 0 ? uri.getPort() : type == Proxy.Type.HTTP ? 80 : 1080;
    // Not resolved here, as a proxy may move.
    InetSocketAddress address = InetSocketAddress.createUnresolved(uri.getHost(), port);
    return new Choice(new Proxy(type, address), login(uri.getRawUserInfo()), "");
  }

  private static Choice unusable(String problem) {
    return new Choice(Proxy.NO_PROXY, null, problem);
  }

  private static @Nullable Authenticator login(@Nullable String userInfo) {
    if (userInfo == null) {
      return null;
    }
    int colon = userInfo.indexOf(':');
    String user = decoded(colon < 0 ? userInfo : userInfo.substring(0, colon));
    String password = colon < 0 ? "" : decoded(userInfo.substring(colon + 1));
    return new Login(user, password);
  }

  private static String decoded(String text) {
    return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
  }

  /** One object for all connections, because the JDK keeps these by it. */
  private static final class Login extends Authenticator {

    private final String user;
    private final String password;

    Login(String user, String password) {
      this.user = user;
      this.password = password;
    }

    @Override
    protected @Nullable PasswordAuthentication getPasswordAuthentication() {
      return getRequestorType() == RequestorType.PROXY
          ? new PasswordAuthentication(user, password.toCharArray())
          : null;
    }
  }
}
