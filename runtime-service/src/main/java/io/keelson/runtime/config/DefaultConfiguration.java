package io.keelson.runtime.config;

/** The commented default file, written from the same keys that the reader knows. */
public final class DefaultConfiguration {

  private DefaultConfiguration() {}

  /**
   * TOML that says nothing but the defaults: each key stands behind {@code #} under its comment, so
   * that a file made from it keeps following the defaults of later versions where it is left alone.
   */
  public static String toml() {
    StringBuilder out = new StringBuilder();
    out.append("# The configuration of the keelson daemon, /etc/keelson/config.toml.\n");
    out.append("# Every key is shown with its default; remove the # before a key to change it.\n");
    Values defaults = new Values();
    String table = "";
    for (Key<?> key : Keys.FIXED) {
      if (!key.table().equals(table)) {
        if (table.isEmpty()) {
          runtimes(out, defaults);
        }
        table = key.table();
        out.append("\n[").append(table).append("]\n");
      }
      append(out, key, defaults);
    }
    return out.toString();
  }

  private static void runtimes(StringBuilder out, Values defaults) {
    out.append(
        """

        # OCI runtimes. The name of a table is the runtime handler that a pod (a RuntimeClass) asks for;
        # add a table for each further runtime.
        """);
    for (String runtime : Keys.BUILT_IN_RUNTIMES) {
      out.append("\n[runtimes.").append(runtime).append("]\n");
      Keys.ofRuntime(runtime).forEach(key -> append(out, key, defaults));
    }
  }

  private static <T> void append(StringBuilder out, Key<T> key, Values defaults) {
    out.append('\n');
    key.comment().lines().forEach(line -> out.append("# ").append(line).append('\n'));
    out.append('#').append(key.simpleName()).append(" = ");
    out.append(key.type().toToml(defaults.get(key))).append('\n');
  }
}
