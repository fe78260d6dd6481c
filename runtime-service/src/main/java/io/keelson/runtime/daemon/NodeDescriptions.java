package io.keelson.runtime.daemon;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.keelson.linux.cgroup.CgroupDriver;
import io.keelson.proto.cri.v1.RuntimeFeatures;
import io.keelson.proto.cri.v1.RuntimeHandler;
import io.keelson.proto.cri.v1.RuntimeHandlerFeatures;
import io.keelson.runtime.ProductVersion;
import io.keelson.runtime.config.Configuration;
import io.keelson.runtime.server.NodeDescription;
import io.keelson.sandbox.isolator.HostFeatures;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/** Tells CRI what the node is and can do. */
final class NodeDescriptions {

  private NodeDescriptions() {}

  static NodeDescription of(Configuration configuration, Host host, HostFeatures features) {
    RuntimeHandlerFeatures handlerFeatures =
        RuntimeHandlerFeatures.newBuilder()
            .setRecursiveReadOnlyMounts(features.recursiveReadOnlyMounts())
            .setUserNamespaces(features.userNamespaces())
            .build();
    List<RuntimeHandler> handlers = new ArrayList<>();
    handlers.add(RuntimeHandler.newBuilder().setName("").setFeatures(handlerFeatures).build());
    for (String name : new TreeSet<>(host.handlers().keySet())) {
      handlers.add(RuntimeHandler.newBuilder().setName(name).setFeatures(handlerFeatures).build());
    }
    return new NodeDescription(
        ProductVersion.current(),
        host.cgroupDriver() == CgroupDriver.SYSTEMD,
        handlers,
        RuntimeFeatures.newBuilder()
            .setSupplementalGroupsPolicy(true)
            .setMountOptions(true)
            .setUserNamespacesHostNetwork(features.userNamespaces())
            .build(),
        () -> json(configuration, host),
        NodeDescriptions::write);
  }

  private static String json(Configuration configuration, Host host) {
    ObjectNode info = new ObjectMapper().createObjectNode();
    info.put("root", configuration.root().toString());
    info.put("state", configuration.state().toString());
    info.put("socket", configuration.socket().toString());
    info.put("cgroupDriver", host.cgroupDriver().name().toLowerCase(java.util.Locale.ROOT));
    info.put("defaultRuntime", configuration.defaultRuntime());
    ObjectNode runtimes = info.putObject("runtimes");
    host.handlers().forEach((name, handler) -> runtimes.put(name, handler.binary().toString()));
    info.put("conmon", host.conmon().toString());
    info.put("cniConfDir", configuration.network().cniConfDir().toString());
    info.put("bridge", configuration.network().bridge());
    return write(info);
  }

  private static String write(Object details) {
    try {
      return new ObjectMapper().writeValueAsString(details);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree in memory is always JSON", e);
    }
  }
}
