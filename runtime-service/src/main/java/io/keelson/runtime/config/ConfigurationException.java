package io.keelson.runtime.config;

import java.util.List;

/**
 * The configuration can't be used. Each problem is one sentence that names the file or flag, the
 * line and the key.
 */
public final class ConfigurationException extends Exception {

  private static final long serialVersionUID = 1L;

  private final List<String> problems;

  public ConfigurationException(List<String> problems) {
    super(String.join("\n", problems));
    this.problems = List.copyOf(problems);
  }

  /** In the order of the file's lines; never empty. */
  public List<String> problems() {
    return problems;
  }
}
