package io.keelson.cni.plugin;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Runs the plugins of a network one after the other (CNI spec 1.1, section 3). Holds no state: who
 * may call what at the same time is the caller's business.
 */
final class PluginChain {

  private final PluginInvoker invoker;
  private final Duration callTimeout;
  private final Duration statusTimeout;

  PluginChain(PluginInvoker invoker, Duration callTimeout, Duration statusTimeout) {
    this.invoker = invoker;
    this.callTimeout = callTimeout;
    this.statusTimeout = statusTimeout;
  }

  /**
   * @throws PluginException for the first plugin whose program is missing
   */
  void requireInstalled(NetworkConfiguration network) throws PluginException {
    for (PluginConfiguration plugin : network.plugins()) {
      ObjectNode request = plugin.request(network.name(), network.version());
      invoker.locate(
          new PluginCall(network.name(), plugin, CniCommand.ADD, request, Map.of(), callTimeout));
    }
  }

  /** The result of the last plugin, in the shape of the network's version. */
  CniResult add(NetworkConfiguration network, AttachmentParameters attachment)
      throws PluginException {
    Optional<CniResult> previous = Optional.empty();
    for (PluginConfiguration plugin : network.plugins()) {
      PluginCall call = call(network, plugin, CniCommand.ADD, attachment, previous);
      ObjectNode printed = invoker.invoke(call);
      try {
        previous = Optional.of(CniResult.parse(printed, network.version()));
      } catch (IOException e) {
        throw new PluginException(
            call,
            PluginException.Kind.MALFORMED,
            "ended well, but its result " + e.getMessage(),
            e);
      }
    }
    return previous.orElseThrow();
  }

  /**
   * In reverse order, all of them even if some fail.
   *
   * @return the failures
   */
  List<PluginException> delete(
      NetworkConfiguration network, AttachmentParameters attachment, Optional<CniResult> result) {
    Optional<CniResult> previous =
        network.version().atLeast(CniVersion.V0_4_0) ? result : Optional.empty();
    List<PluginException> failures = new ArrayList<>();
    for (PluginConfiguration plugin : network.plugins().reversed()) {
      try {
        invoker.invoke(call(network, plugin, CniCommand.DEL, attachment, previous));
      } catch (PluginException e) {
        failures.add(e);
      }
    }
    return failures;
  }

  /** Ends at the first plugin that misses something. */
  void check(NetworkConfiguration network, AttachmentParameters attachment, CniResult result)
      throws PluginException {
    if (network.disableCheck() || !network.version().atLeast(CniVersion.V0_4_0)) {
      return;
    }
    for (PluginConfiguration plugin : network.plugins()) {
      invoker.invoke(call(network, plugin, CniCommand.CHECK, attachment, Optional.of(result)));
    }
  }

  /**
   * Ends at the first plugin that could not serve an ADD. One that is too old to know is taken as
   * able.
   */
  void status(NetworkConfiguration network) throws PluginException {
    if (!network.version().atLeast(CniVersion.V1_1_0)) {
      return;
    }
    for (PluginConfiguration plugin : network.plugins()) {
      try {
        invoker.invoke(
            new PluginCall(
                network.name(),
                plugin,
                CniCommand.STATUS,
                plugin.request(network.name(), network.version()),
                Map.of(),
                statusTimeout));
      } catch (PluginException e) {
        if (!e.isUnknownCommand()) {
          throw e;
        }
      }
    }
  }

  /**
   * Lets every plugin drop what belongs to no valid attachment. No ADD or DEL of any pod may run
   * meanwhile.
   *
   * @return the failures
   */
  List<PluginException> collectGarbage(
      NetworkConfiguration network, Collection<AttachmentParameters> valid) {
    List<PluginException> failures = new ArrayList<>();
    if (network.disableGc() || !network.version().atLeast(CniVersion.V1_1_0)) {
      return failures;
    }
    ArrayNode attachments = Json.object().arrayNode();
    for (AttachmentParameters attachment : valid) {
      attachments
          .addObject()
          .put("containerID", attachment.containerId())
          .put("ifname", attachment.interfaceName());
    }
    for (PluginConfiguration plugin : network.plugins()) {
      ObjectNode request = plugin.request(network.name(), network.version());
      request.set("cni.dev/valid-attachments", attachments);
      // plugins made with the first libraries of CNI 1.1 read this name
      request.set("cni.dev/attachments", attachments);
      try {
        invoker.invoke(
            new PluginCall(network.name(), plugin, CniCommand.GC, request, Map.of(), callTimeout));
      } catch (PluginException e) {
        if (!e.isUnknownCommand()) {
          failures.add(e);
        }
      }
    }
    return failures;
  }

  private PluginCall call(
      NetworkConfiguration network,
      PluginConfiguration plugin,
      CniCommand command,
      AttachmentParameters attachment,
      Optional<CniResult> previous) {
    ObjectNode request = plugin.request(network.name(), network.version(), attachment);
    previous.ifPresent(result -> request.set("prevResult", result.json()));
    return new PluginCall(
        network.name(), plugin, command, request, attachment.environment(), callTimeout);
  }
}
