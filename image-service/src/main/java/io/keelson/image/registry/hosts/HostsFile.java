package io.keelson.image.registry.hosts;

import io.keelson.sandbox.tls.KeyFiles;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.tomlj.Toml;
import org.tomlj.TomlArray;
import org.tomlj.TomlParseResult;
import org.tomlj.TomlPosition;
import org.tomlj.TomlTable;

/**
 * Reads a {@code hosts.toml} (containerd, "Registry Configuration"): mirrors in the order in which
 * they stand, and after them the registry's own server. Keys that are not known are passed over, as
 * containerd does. Safe for use by many threads.
 */
final class HostsFile {

  /** More than any file has; the parser goes down by a call for each. */
  private static final int MAX_DEPTH = 200;

  private static final Pattern DURATION = Pattern.compile("(\\d{1,6})(ms|s|m)");

  private final Path file;

  private HostsFile(Path file) {
    this.file = file;
  }

  /**
   * @param file for errors; paths in the text are relative to its folder
   * @return at least one host, the registry's own server last
   * @throws IOException if the text is not what it should be; the message says where
   */
  static List<HostSettings> parse(Path file, String text) throws IOException {
    return new HostsFile(file).parse(text);
  }

  private List<HostSettings> parse(String text) throws IOException {
    checkDepth(text);
    TomlParseResult root = Toml.parse(text);
    if (root.hasErrors()) {
      throw new IOException(file + ": " + root.errors().getFirst());
    }
    List<HostSettings> hosts = new ArrayList<>();
    TomlTable mirrors = table(root, "host");
    if (mirrors != null) {
      for (String address : inOrder(mirrors)) {
        TomlTable host = table(mirrors, address);
        if (host == null) {
          throw wrong("host." + address, "a table");
        }
        hosts.add(host(address, host));
      }
    }
    hosts.add(host(text(root, "server"), root));
    return hosts;
  }

  private void checkDepth(String text) throws IOException {
    int depth = 0;
    for (int i = 0; i < text.length(); i++) {
      switch (text.charAt(i)) {
        case '[', '{' -> depth++;
        case ']', '}' -> depth--;
        default -> {}
      }
      if (depth > MAX_DEPTH) {
        throw new IOException(file + ": nested more than " + MAX_DEPTH + " deep");
      }
    }
  }

  /** As they stand in the file, whatever order the parser keeps. */
  private static List<String> inOrder(TomlTable table) {
    return table.keySet().stream()
        .sorted(
            Comparator.comparing(
                key -> table.inputPositionOf(List.of(key)),
                Comparator.nullsLast(
                    Comparator.comparingInt(TomlPosition::line)
                        .thenComparingInt(TomlPosition::column))))
        .toList();
  }

  private HostSettings host(String address, TomlTable table) throws IOException {
    return new HostSettings(
        address,
        capabilities(table),
        headers(table),
        new TlsFiles(authorities(table), clients(table), flag(table, "skip_verify")),
        flag(table, "override_path"),
        timeout(table));
  }

  private Set<Capability> capabilities(TomlTable table) throws IOException {
    Set<Capability> capabilities = EnumSet.noneOf(Capability.class);
    for (String name : texts(table, "capabilities")) {
      try {
        capabilities.add(Capability.valueOf(name.toUpperCase(Locale.ROOT)));
      } catch (IllegalArgumentException e) {
        throw new IOException(
            "%s: capabilities are pull, resolve and push, not \"%s\"".formatted(file, name), e);
      }
    }
    return capabilities.isEmpty() ? EnumSet.allOf(Capability.class) : capabilities;
  }

  private Map<String, String> headers(TomlTable table) throws IOException {
    TomlTable headers = table(table, "header");
    Map<String, String> values = new LinkedHashMap<>();
    if (headers != null) {
      for (String name : headers.keySet()) {
        String value = String.join(", ", texts(headers, name));
        if (!name.matches("[A-Za-z0-9!#$%&'*+.^_`|~-]+")
            || value.matches("(?s).*[\\r\\n\\x00].*")) {
          throw wrong("header." + name, "a header");
        }
        values.put(name, value);
      }
    }
    return values;
  }

  private List<Path> authorities(TomlTable table) throws IOException {
    List<Path> files = new ArrayList<>();
    for (String name : texts(table, "ca")) {
      files.add(path(name));
    }
    return files;
  }

  private List<KeyFiles> clients(TomlTable table) throws IOException {
    Object value = get(table, "client");
    List<KeyFiles> clients = new ArrayList<>();
    if (value instanceof String both) {
      clients.add(new KeyFiles(path(both), path(both)));
    } else if (value instanceof TomlArray array) {
      for (int i = 0; i < array.size(); i++) {
        clients.add(client(array.get(i)));
      }
    } else if (value != null) {
      throw wrong("client", "a file, a list of files or a list of pairs of files");
    }
    return clients;
  }

  private KeyFiles client(Object value) throws IOException {
    if (value instanceof String both) {
      return new KeyFiles(path(both), path(both));
    }
    if (value instanceof TomlArray pair
        && (pair.size() == 1 || pair.size() == 2)
        && pair.get(0) instanceof String certificate
        && pair.get(pair.size() - 1) instanceof String key) {
      return new KeyFiles(path(certificate), path(key.isEmpty() ? certificate : key));
    }
    throw wrong("client", "a list of files or of pairs of certificate and key");
  }

  private Optional<Duration> timeout(TomlTable table) throws IOException {
    String text = text(table, "dial_timeout");
    if (text.isEmpty()) {
      return Optional.empty();
    }
    Matcher matcher = DURATION.matcher(text);
    if (!matcher.matches()) {
      throw wrong("dial_timeout", "a duration such as \"3s\" or \"500ms\"");
    }
    long count = Long.parseLong(matcher.group(1));
    return Optional.of(
        switch (matcher.group(2)) {
          case "ms" -> Duration.ofMillis(count);
          case "s" -> Duration.ofSeconds(count);
          default -> Duration.ofMinutes(count);
        });
  }

  private Path path(String text) throws IOException {
    try {
      return file.resolveSibling(text).normalize();
    } catch (InvalidPathException e) {
      throw new IOException(file + ": no path of a file: " + e.getMessage(), e);
    }
  }

  private @Nullable TomlTable table(TomlTable table, String key) throws IOException {
    Object value = get(table, key);
    if (value == null || value instanceof TomlTable) {
      return (TomlTable) value;
    }
    throw wrong(key, "a table");
  }

  private String text(TomlTable table, String key) throws IOException {
    Object value = get(table, key);
    if (value == null || value instanceof String) {
      return value == null ? "" : (String) value;
    }
    throw wrong(key, "a text");
  }

  private boolean flag(TomlTable table, String key) throws IOException {
    Object value = get(table, key);
    if (value == null || value instanceof Boolean) {
      return Boolean.TRUE.equals(value);
    }
    throw wrong(key, "true or false");
  }

  private List<String> texts(TomlTable table, String key) throws IOException {
    Object value = get(table, key);
    if (value == null) {
      return List.of();
    }
    if (value instanceof String single) {
      return List.of(single);
    }
    List<String> texts = new ArrayList<>();
    if (value instanceof TomlArray array) {
      for (Object element : array.toList()) {
        if (!(element instanceof String text)) {
          throw wrong(key, "a list of texts");
        }
        texts.add(text);
      }
      return texts;
    }
    throw wrong(key, "a text or a list of texts");
  }

  private static @Nullable Object get(TomlTable table, String key) {
    return table.get(List.of(key));
  }

  private IOException wrong(String key, String expectation) {
    return new IOException(file + ": " + key + " must be " + expectation);
  }
}
