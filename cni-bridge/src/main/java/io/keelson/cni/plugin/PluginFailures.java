package io.keelson.cni.plugin;

import io.keelson.cni.plugin.PluginException.Kind;
import io.keelson.sandbox.error.DeadlineExceededException;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.error.UnavailableException;
import java.util.List;
import java.util.stream.Collectors;

/** What failed plugins mean to the caller of a {@link io.keelson.sandbox.port.PodNetwork}. */
final class PluginFailures {

  private PluginFailures() {}

  /**
   * One exception with all their words, of the kind that the first asks for.
   *
   * @param failures not empty
   */
  static KeelsonException of(List<PluginException> failures) {
    String message =
        failures.stream().map(PluginException::getMessage).collect(Collectors.joining("; "));
    PluginException first = failures.getFirst();
    KeelsonException failure;
    if (first.kind() == Kind.TIMED_OUT) {
      failure = new DeadlineExceededException(message);
    } else if (first.code().orElse(0) == PluginException.TRY_AGAIN_LATER) {
      failure = new UnavailableException(message);
    } else {
      failure = new OperationFailedException(message);
    }
    failures.forEach(failure::addSuppressed);
    return failure;
  }
}
