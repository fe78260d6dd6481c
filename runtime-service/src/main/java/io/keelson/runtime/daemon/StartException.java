package io.keelson.runtime.daemon;

import java.util.List;

/** The daemon can't start on this host; each problem is one sentence that says what cures it. */
public final class StartException extends Exception {

  private static final long serialVersionUID = 1L;

  public StartException(List<String> problems) {
    super(String.join("\n", problems));
  }

  public StartException(String problem, Throwable cause) {
    super(problem, cause);
  }
}
