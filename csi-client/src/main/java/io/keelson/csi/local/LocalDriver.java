package io.keelson.csi.local;

import io.grpc.BindableService;
import io.keelson.csi.quota.ProjectQuotas;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** The local driver: put together, ready to be served. Safe for use by many threads. */
public final class LocalDriver {

  /** The name under which it is known if nothing else is said. */
  public static final String NAME = "local.csi.keelson.io";

  private final List<BindableService> services;

  /**
   * Reads what an earlier life of the driver left.
   *
   * @param root holds the volumes; survives a reboot
   * @param nodeId the node's name
   * @param version of the driver
   */
  public LocalDriver(String name, Path root, String nodeId, String version) throws IOException {
    LocalStore store = new LocalStore(root);
    ProjectQuotas quotas = ProjectQuotas.on(root);
    Programs programs = new Programs();
    Contents contents = new Contents(programs);
    Provisioner provisioner = new Provisioner(store, contents, quotas);
    Topologies topologies = new Topologies(name, nodeId);
    this.services =
        List.of(
            new IdentityService(name, version),
            new ControllerService(store, provisioner, new Snapshots(store, contents), topologies),
            new SnapshotMetadataService(store),
            new NodeService(store, provisioner, new NodeMounts(programs), topologies, nodeId));
  }

  public List<BindableService> services() {
    return services;
  }
}
