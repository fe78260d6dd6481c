package io.keelson.runtime.server;

import io.keelson.linux.netlink.IpPrefix;
import io.keelson.proto.cri.v1.CgroupDriver;
import io.keelson.proto.cri.v1.LinuxRuntimeConfiguration;
import io.keelson.proto.cri.v1.RuntimeCondition;
import io.keelson.proto.cri.v1.RuntimeConfigResponse;
import io.keelson.proto.cri.v1.RuntimeStatus;
import io.keelson.proto.cri.v1.StatusRequest;
import io.keelson.proto.cri.v1.StatusResponse;
import io.keelson.proto.cri.v1.UpdateRuntimeConfigRequest;
import io.keelson.proto.cri.v1.UpdateRuntimeConfigResponse;
import io.keelson.proto.cri.v1.VersionResponse;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.port.PodNetwork;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Version, Status and RuntimeConfig: what the node says of itself, from memory. */
public final class NodeCalls {

  /** The version of the kubelet's runtime API, not that of CRI; every runtime answers this one. */
  private static final String KUBELET_API_VERSION = "0.1.0";

  private final NodeDescription node;
  private final PodNetwork network;
  private final ReadinessGate gate;

  public NodeCalls(NodeDescription node, PodNetwork network, ReadinessGate gate) {
    this.node = node;
    this.network = network;
    this.gate = gate;
  }

  VersionResponse version() {
    return VersionResponse.newBuilder()
        .setVersion(KUBELET_API_VERSION)
        .setRuntimeName("keelson")
        .setRuntimeVersion(node.version())
        .setRuntimeApiVersion("v1")
        .build();
  }

  StatusResponse status(StatusRequest request) {
    PodNetwork.Condition condition = network.condition();
    StatusResponse.Builder response =
        StatusResponse.newBuilder()
            .setStatus(
                RuntimeStatus.newBuilder()
                    .addConditions(runtimeReady())
                    .addConditions(
                        RuntimeCondition.newBuilder()
                            .setType("NetworkReady")
                            .setStatus(condition.ready())
                            .setReason(condition.reason())
                            .setMessage(condition.message())))
            .addAllRuntimeHandlers(node.handlers())
            .setFeatures(node.features());
    if (request.getVerbose()) {
      response.putAllInfo(info());
    }
    return response.build();
  }

  RuntimeConfigResponse runtimeConfig() {
    return RuntimeConfigResponse.newBuilder()
        .setLinux(
            LinuxRuntimeConfiguration.newBuilder()
                .setCgroupDriver(
                    node.systemdCgroups() ? CgroupDriver.SYSTEMD : CgroupDriver.CGROUPFS))
        .build();
  }

  /** The kubelet tells the pod CIDR of the node; for two families with a comma between. */
  UpdateRuntimeConfigResponse updateRuntimeConfig(UpdateRuntimeConfigRequest request)
      throws IOException {
    String cidrs = request.getRuntimeConfig().getNetworkConfig().getPodCidr();
    if (!cidrs.isBlank()) {
      List<IpPrefix> subnets = new ArrayList<>();
      for (String cidr : cidrs.split(",", -1)) {
        try {
          subnets.add(IpPrefix.parse(cidr.strip()).network());
        } catch (IllegalArgumentException e) {
          throw new InvalidRequestException("the pod CIDR is no subnet: \"" + cidr + "\"", e);
        }
      }
      network.assign(subnets);
    }
    return UpdateRuntimeConfigResponse.getDefaultInstance();
  }

  private RuntimeCondition runtimeReady() {
    RuntimeCondition.Builder condition = RuntimeCondition.newBuilder().setType("RuntimeReady");
    if (!gate.isOpen()) {
      return condition
          .setReason("Recovering")
          .setMessage("the daemon has just started and is finding out what runs on the node")
          .build();
    }
    return condition.setStatus(true).build();
  }

  private Map<String, String> info() {
    PodNetwork.Condition condition = network.condition();
    Map<String, Object> state = new TreeMap<>(network.details());
    state.put("ready", condition.ready());
    state.put("reason", condition.reason());
    state.put("message", condition.message());
    return Map.of("config", node.configurationJson().get(), "network", node.toJson().apply(state));
  }
}
