package io.keelson.runtime.nri;

import com.google.protobuf.MessageLite;
import io.keelson.sandbox.error.OperationFailedException;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes one turn in the life of a pod or container to the plugins that know it. */
final class Relay {

  private static final Logger LOG = LoggerFactory.getLogger(Relay.class);

  /** What to do with a plugin's answer. */
  @FunctionalInterface
  interface Answered<A> {
    void take(Plugin plugin, A answer);
  }

  private Relay() {}

  /**
   * Asks one plugin.
   *
   * @throws OperationFailedException if it answers with an error
   */
  static <Q extends MessageLite, A> Optional<A> ask(
      Plugin plugin, PluginCall<Q, A> call, Q request) {
    try {
      return plugin.ask(call, request);
    } catch (PluginRefusedException e) {
      throw new OperationFailedException(String.valueOf(e.getMessage()), e);
    }
  }

  /**
   * Asks all that know {@code id}, in their order.
   *
   * @throws OperationFailedException if one answers with an error; those behind it are not asked
   */
  static <Q extends MessageLite, A> void askAll(
      List<Plugin> plugins, String id, PluginCall<Q, A> call, Q request) {
    for (Plugin plugin : plugins) {
      if (plugin.knows(id)) {
        var _ = ask(plugin, call, request);
      }
    }
  }

  /** Tells all that know {@code id} of what nobody can refuse; an error is logged alone. */
  static <Q extends MessageLite, A> void tellAll(
      List<Plugin> plugins, String id, PluginCall<Q, A> call, Q request, Answered<A> answered) {
    for (Plugin plugin : plugins) {
      if (plugin.knows(id)) {
        try {
          plugin.ask(call, request).ifPresent(answer -> answered.take(plugin, answer));
        } catch (PluginRefusedException | RuntimeException e) {
          LOG.atWarn()
              .addKeyValue("id", id)
              .addKeyValue("plugin", plugin.label())
              .setCause(e)
              .log("an NRI plugin failed at what can't be refused; going on");
        }
      }
    }
  }

  static <Q extends MessageLite, A> void tellAll(
      List<Plugin> plugins, String id, PluginCall<Q, A> call, Q request) {
    tellAll(plugins, id, call, request, (_, _) -> {});
  }
}
