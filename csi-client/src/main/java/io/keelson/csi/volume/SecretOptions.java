package io.keelson.csi.volume;

import java.util.Collection;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Options of Docker volume plugins that are not shown: the plugin API has no secrets, so logins are
 * options among the others, and are told by their names.
 */
public final class SecretOptions {

  private static final Pattern NAME =
      Pattern.compile("pass|pwd|secret|token|credential|(access|account|private|api)[-_.]?key");

  private SecretOptions() {}

  public static Collection<String> values(Map<String, String> options) {
    return options.entrySet().stream()
        .filter(option -> isSecret(option.getKey()))
        .map(Map.Entry::getValue)
        .toList();
  }

  static Map<String, String> withoutThem(Map<String, String> options) {
    return options.entrySet().stream()
        .filter(option -> !isSecret(option.getKey()))
        .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
  }

  private static boolean isSecret(String name) {
    return NAME.matcher(name.toLowerCase(Locale.ROOT)).find();
  }
}
