package io.keelson.runtime.config;

import io.keelson.linux.netlink.IpPrefix;
import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.tomlj.Toml;
import org.tomlj.TomlArray;
import org.tomlj.TomlTable;

/** The types of values that the configuration knows. */
final class ValueTypes {

  static final ValueType<Boolean> BOOLEAN =
      of(
          value -> {
            if (value instanceof Boolean flag) {
              return flag;
            }
            throw expected("true or false", value);
          },
          String::valueOf);

  static final ValueType<Path> ABSOLUTE_PATH =
      of(value -> absolutePath("an absolute path", value), path -> quote(path.toString()));

  /** An absolute path, or the empty text for none. */
  static final ValueType<Optional<Path>> OPTIONAL_PATH =
      of(
          value ->
              value.equals("")
                  ? Optional.empty()
                  : Optional.of(absolutePath("an absolute path, or \"\" for none", value)),
          path -> quote(path.map(Path::toString).orElse("")));

  /** The name of an image, or the beginning of one and a star. */
  static final ValueType<String> IMAGE_PATTERN =
      matching("[^\\s*]+\\*?", "the name of an image, or the beginning of a name and a star");

  /** A program: an absolute path, or a name that is looked for in PATH. */
  static final ValueType<String> PROGRAM =
      of(
          value -> {
            String expectation = "an absolute path or the name of a program in PATH";
            if (value instanceof String name && !name.isBlank()) {
              return name.contains("/") ? absolutePath(expectation, name).toString() : name;
            }
            throw expected(expectation, value);
          },
          ValueTypes::quote);

  /** A group by name or number. */
  static final ValueType<String> GROUP =
      of(
          value -> {
            if (value instanceof String name && !name.isBlank()) {
              return name;
            }
            if (value instanceof Long number && number >= 0 && number <= 0xffff_fffeL) {
              return number.toString();
            }
            throw expected("the name or the number of a group", value);
          },
          ValueTypes::quote);

  /** The longest name of a network interface that the kernel takes is 15 bytes (IFNAMSIZ). */
  static final ValueType<String> INTERFACE_NAME =
      matching(
          "[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}",
          "the name of a network interface (1 to 15 characters)");

  /** {@code host[:port]} as it stands before the first slash of an image reference. */
  static final ValueType<String> REGISTRY =
      matching(
          "([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\\[[0-9A-Fa-f:]+\\])(:[0-9]{1,5})?",
          "a registry as host or host:port");

  /** A loopback address with a port, or a unix socket. */
  static final ValueType<String> LOCAL_ENDPOINT =
      matching(
          "|unix:/.+|(127(\\.[0-9]{1,3}){3}|\\[::1\\]):[0-9]{1,5}",
          "a loopback address with a port, unix: and an absolute path, or \"\" for none");

  /** Where a collector of traces takes them, or nothing. */
  static final ValueType<Optional<URI>> OPTIONAL_URL =
      of(
          value -> {
            if (value.equals("")) {
              return Optional.empty();
            }
            try {
              URI url = new URI(String.valueOf(value));
              if (url.getHost() != null && List.of("http", "https").contains(url.getScheme())) {
                return Optional.of(url);
              }
            } catch (URISyntaxException _) {
              // told below
            }
            throw expected("an http or https URL, or \"\" for none", value);
          },
          url -> quote(url.map(URI::toString).orElse("")));

  /** An IP address. */
  static final ValueType<InetAddress> ADDRESS =
      of(
          value -> {
            try {
              return InetAddress.ofLiteral(String.valueOf(value));
            } catch (IllegalArgumentException e) {
              throw expected("an IP address", value);
            }
          },
          address -> quote(address.getHostAddress()));

  static final ValueType<Duration> DURATION =
      of(ValueTypes::duration, duration -> quote(durationText(duration)));

  /** Bytes. */
  static final ValueType<Long> SIZE = of(ValueTypes::size, size -> quote(sizeText(size)));

  /** A subnet, or the empty text for none. */
  static final ValueType<Optional<IpPrefix>> IPV4_SUBNET = subnet(4);

  static final ValueType<Optional<IpPrefix>> IPV6_SUBNET = subnet(6);

  /** The network itself, the gateway, one pod and the broadcast address. */
  private static final int LEAST_HOST_BITS = 2;

  private static final Pattern DURATION_TEXT = Pattern.compile("([0-9]{1,9})(ms|s|m|h)");
  private static final Pattern SIZE_TEXT = Pattern.compile("([0-9]{1,12})(B|KiB|MiB|GiB|TiB)?");
  private static final List<String> SIZE_UNITS = List.of("B", "KiB", "MiB", "GiB", "TiB");

  private ValueTypes() {}

  static ValueType<Long> integer(long least, long most) {
    return of(
        value -> {
          if (value instanceof Long number && number >= least && number <= most) {
            return number;
          }
          throw expected("a whole number from " + least + " to " + most, value);
        },
        String::valueOf);
  }

  static ValueType<Long> size(long least, long most) {
    return of(
        value -> {
          long size = SIZE.read(value);
          if (size < least || size > most) {
            throw expected("a size from " + sizeText(least) + " to " + sizeText(most), value);
          }
          return size;
        },
        SIZE::toToml);
  }

  static ValueType<Duration> duration(Duration least, Duration most) {
    return of(
        value -> {
          Duration duration = DURATION.read(value);
          if (duration.compareTo(least) < 0 || duration.compareTo(most) > 0) {
            throw expected(
                "a duration from " + durationText(least) + " to " + durationText(most), value);
          }
          return duration;
        },
        DURATION::toToml);
  }

  /** One of an enum's constants, in lower case. */
  static <E extends Enum<E>> ValueType<E> choice(Class<E> type) {
    E[] choices = type.getEnumConstants();
    String names =
        Arrays.stream(choices).map(ValueTypes::choiceName).collect(Collectors.joining(", "));
    return of(
        value -> {
          for (E choice : choices) {
            if (choiceName(choice).equals(value)) {
              return choice;
            }
          }
          throw expected("one of " + names, value);
        },
        choice -> quote(choiceName(choice)));
  }

  /** A list without doubles. */
  static <T> ValueType<List<T>> listOf(ValueType<T> element, String elements) {
    return of(
        value -> {
          if (!(value instanceof TomlArray array)) {
            throw expected("a list of " + elements, value);
          }
          List<T> list = new ArrayList<>();
          Set<T> seen = new HashSet<>();
          for (int i = 0; i < array.size(); i++) {
            T item;
            try {
              item = element.read(array.get(i));
            } catch (BadValueException e) {
              throw new BadValueException(e.getMessage() + " (item " + (i + 1) + " of the list)");
            }
            if (!seen.add(item)) {
              throw new BadValueException("names " + element.toToml(item) + " twice");
            }
            list.add(item);
          }
          return List.copyOf(list);
        },
        list -> list.stream().map(element::toToml).collect(Collectors.joining(", ", "[", "]")));
  }

  /** A text that matches as a whole. */
  static ValueType<String> matching(String pattern, String expectation) {
    Pattern compiled = Pattern.compile(pattern);
    return of(
        value -> {
          if (value instanceof String text && compiled.matcher(text).matches()) {
            return text;
          }
          throw expected(expectation, value);
        },
        ValueTypes::quote);
  }

  private static ValueType<Optional<IpPrefix>> subnet(int version) {
    String expectation =
        "an IPv"
            + version
            + " subnet such as "
            + (version == 4 ? "10.1.0.0/16" : "fd00:1::/64")
            + ", or \"\" for none";
    return of(
        value -> {
          if (!(value instanceof String text)) {
            throw expected(expectation, value);
          }
          if (text.isEmpty()) {
            return Optional.empty();
          }
          IpPrefix subnet;
          try {
            subnet = IpPrefix.parse(text);
          } catch (IllegalArgumentException e) {
            throw expected(expectation, value);
          }
          if (subnet.isIpv4() != (version == 4)) {
            throw expected(expectation, value);
          }
          IpPrefix network = subnet.network();
          if (!network.equals(subnet)) {
            throw new BadValueException(
                "must name the subnet itself, "
                    + quote(network.toString())
                    + ", not the host "
                    + describe(value));
          }
          if (subnet.hostBits() < LEAST_HOST_BITS) {
            throw new BadValueException(
                "has no room for a gateway and a pod: " + quote(subnet.toString()));
          }
          return Optional.of(subnet);
        },
        subnet -> quote(subnet.map(IpPrefix::toString).orElse("")));
  }

  private static Path absolutePath(String expectation, Object value) throws BadValueException {
    if (value instanceof String text && text.startsWith("/")) {
      try {
        return Path.of(text).normalize();
      } catch (InvalidPathException e) {
        throw expected(expectation, value);
      }
    }
    throw expected(expectation, value);
  }

  private static Duration duration(Object value) throws BadValueException {
    Matcher matcher = DURATION_TEXT.matcher(value instanceof String text ? text : "");
    if (!matcher.matches()) {
      throw expected("a duration such as \"500ms\", \"10s\", \"2m\" or \"1h\"", value);
    }
    long count = Long.parseLong(matcher.group(1));
    return switch (matcher.group(2)) {
      case "ms" -> Duration.ofMillis(count);
      case "s" -> Duration.ofSeconds(count);
      case "m" -> Duration.ofMinutes(count);
      default -> Duration.ofHours(count);
    };
  }

  private static String durationText(Duration duration) {
    long millis = duration.toMillis();
    if (millis == 0 || millis % 1000 != 0) {
      return millis + "ms";
    }
    long seconds = millis / 1000;
    if (seconds % 3600 == 0) {
      return seconds / 3600 + "h";
    }
    return seconds % 60 == 0 ? seconds / 60 + "m" : seconds + "s";
  }

  private static Long size(Object value) throws BadValueException {
    String text =
        switch (value) {
          case Long number -> number.toString();
          case String string -> string;
          default -> "";
        };
    Matcher matcher = SIZE_TEXT.matcher(text);
    if (!matcher.matches()) {
      throw expected("a size in bytes or such as \"512KiB\", \"16MiB\" or \"2GiB\"", value);
    }
    String unit = matcher.group(2);
    int power = unit == null ? 0 : SIZE_UNITS.indexOf(unit);
    try {
      return Math.multiplyExact(Long.parseLong(matcher.group(1)), 1L << (10 * power));
    } catch (ArithmeticException e) {
      throw expected("a size below 8 EiB", value);
    }
  }

  private static String sizeText(long size) {
    int power = 0;
    while (size != 0 && size % 1024 == 0 && power + 1 < SIZE_UNITS.size()) {
      size /= 1024;
      power++;
    }
    return size + SIZE_UNITS.get(power);
  }

  private static String choiceName(Enum<?> choice) {
    return choice.name().toLowerCase(Locale.ROOT);
  }

  static BadValueException expected(String expectation, Object value) {
    return new BadValueException("must be " + expectation + ", not " + describe(value));
  }

  private static String describe(Object value) {
    return switch (value) {
      case String text -> quote(text);
      case TomlTable _ -> "a table";
      case TomlArray _ -> "a list";
      default -> value.toString();
    };
  }

  private static String quote(String text) {
    return "\"" + Toml.tomlEscape(text) + "\"";
  }

  private interface Reader<T> {
    T read(Object value) throws BadValueException;
  }

  private static <T> ValueType<T> of(Reader<T> reader, Function<T, String> writer) {
    return new ValueType<>() {
      @Override
      public T read(Object value) throws BadValueException {
        return reader.read(value);
      }

      @Override
      public String toToml(T value) {
        return writer.apply(value);
      }
    };
  }
}
