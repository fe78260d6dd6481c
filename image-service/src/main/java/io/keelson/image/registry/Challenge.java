package io.keelson.image.registry;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How a server wants to be told who asks (RFC 9110, section 11.6.1).
 *
 * @param scheme in lower case
 * @param parameters names in lower case
 */
record Challenge(String scheme, Map<String, String> parameters) {

  private static final Pattern SCHEME =
      Pattern.compile("[\\s,]*+([A-Za-z0-9_-]++)(?:\\s++|$)(?!\\s*=)");
  private static final Pattern PARAMETER =
      Pattern.compile(
          "[\\s,]*+([A-Za-z0-9_-]++)\\s*+=\\s*+(?:\"((?:[^\"\\\\]|\\\\.)*+)\"|([^\\s,\"]*+))");

  /** All challenges of the headers; what can't be read is left out. */
  static List<Challenge> parse(List<String> headers) {
    List<Challenge> challenges = new ArrayList<>();
    for (String header : headers) {
      int at = 0;
      Matcher scheme = SCHEME.matcher(header);
      // Only at the place where the last has ended: a search would read all that follows each time.
      while (scheme.region(at, header.length()).lookingAt()) {
        Map<String, String> parameters = new LinkedHashMap<>();
        at = scheme.end();
        Matcher parameter = PARAMETER.matcher(header);
        while (parameter.region(at, header.length()).lookingAt()) {
          String quoted = parameter.group(2);
          parameters.put(
              parameter.group(1).toLowerCase(Locale.ROOT),
              quoted == null ? parameter.group(3) : quoted.replaceAll("\\\\(.)", "$1"));
          at = parameter.end();
        }
        challenges.add(new Challenge(scheme.group(1).toLowerCase(Locale.ROOT), parameters));
        if (at >= header.length()) {
          break;
        }
      }
    }
    return challenges;
  }

  String parameter(String name) {
    return parameters.getOrDefault(name, "");
  }
}
