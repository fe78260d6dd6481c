package io.keelson.csi.local;

import io.keelson.proto.csi.v1.Topology;
import io.keelson.proto.csi.v1.TopologyRequirement;

/** Where the volumes can be reached from: this node alone. */
final class Topologies {

  private final Topology here;

  Topologies(String driver, String nodeId) {
    here = Topology.newBuilder().putSegments("topology." + driver + "/node", nodeId).build();
  }

  Topology here() {
    return here;
  }

  boolean areMet(TopologyRequirement requirement) {
    return requirement.getRequisiteCount() == 0 || requirement.getRequisiteList().contains(here);
  }
}
