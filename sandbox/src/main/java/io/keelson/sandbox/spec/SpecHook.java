package io.keelson.sandbox.spec;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A program that the OCI runtime runs at a point of the container's life (OCI runtime spec, {@code
 * hooks}).
 *
 * @param path absolute path
 * @param args with the program's name first; empty for none
 * @param env {@code NAME=value}
 * @param timeoutSeconds null for none
 */
public record SpecHook(
    String path, List<String> args, List<String> env, @Nullable Integer timeoutSeconds) {

  public SpecHook {
    args = List.copyOf(args);
    env = List.copyOf(env);
  }

  /** When a hook runs. */
  public enum Stage {
    PRESTART("prestart"),
    CREATE_RUNTIME("createRuntime"),
    CREATE_CONTAINER("createContainer"),
    START_CONTAINER("startContainer"),
    POSTSTART("poststart"),
    POSTSTOP("poststop");

    private final String key;

    Stage(String key) {
      this.key = key;
    }

    /** As the spec names it. */
    public String key() {
      return key;
    }
  }
}
