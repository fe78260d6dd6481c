package io.keelson.csi;

import io.grpc.BindableService;
import io.keelson.proto.csi.v1.ControllerServiceCapability;
import io.keelson.proto.csi.v1.NodeServiceCapability;
import io.keelson.proto.csi.v1.PluginCapability;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;

/** What a {@link TestDriver} has, and what it says that it can do. Outlives its process. */
final class TestStorage {

  static final String NODE_ID = "node-7";

  /** What CreateVolume tells of a volume. */
  static final Map<String, String> VOLUME_CONTEXT = Map.of("pool", "seven");

  /** What ControllerPublishVolume tells of a volume. */
  static final Map<String, String> PUBLISH_CONTEXT = Map.of("device", "disk-7");

  /** It names two things at a time when it is asked for a list. */
  static final int PAGE = 2;

  final Set<PluginCapability.Service.Type> plugin =
      EnumSet.of(
          PluginCapability.Service.Type.CONTROLLER_SERVICE,
          PluginCapability.Service.Type.GROUP_CONTROLLER_SERVICE);
  final Set<ControllerServiceCapability.RPC.Type> controller =
      EnumSet.complementOf(
          EnumSet.of(
              ControllerServiceCapability.RPC.Type.UNRECOGNIZED,
              ControllerServiceCapability.RPC.Type.UNKNOWN,
              // So that nobody asks but the test.
              ControllerServiceCapability.RPC.Type.VOLUME_CONDITION));
  final Set<NodeServiceCapability.RPC.Type> node =
      EnumSet.of(
          NodeServiceCapability.RPC.Type.STAGE_UNSTAGE_VOLUME,
          NodeServiceCapability.RPC.Type.GET_VOLUME_STATS,
          NodeServiceCapability.RPC.Type.EXPAND_VOLUME,
          NodeServiceCapability.RPC.Type.SINGLE_NODE_MULTI_WRITER);

  /** How many volumes it says that it can have on a node; 0 for any number. */
  volatile long mostOnNode;

  /** Volumes by id, with their sizes. */
  final Map<String, Long> volumes = new ConcurrentSkipListMap<>();

  /** Snapshots by id, with the ids of their volumes. */
  final Map<String, String> snapshots = new ConcurrentSkipListMap<>();

  /** Groups of snapshots, by id. */
  final Set<String> groups = ConcurrentHashMap.newKeySet();

  final Set<String> attached = ConcurrentHashMap.newKeySet();

  /** The size of each volume's file system. */
  final Map<String, Long> fileSystems = new ConcurrentHashMap<>();

  /** How many more looks find a snapshot that can't be used yet. */
  final AtomicInteger looksUntilReady = new AtomicInteger();

  /** NodePublishVolume leaves it to the caller to see to it that nobody writes. */
  volatile boolean readOnlyIsIgnored;

  List<BindableService> services() {
    return List.of(
        new TestIdentity(this),
        new TestController(this),
        new TestGroups(this),
        new TestNodeService(this));
  }
}
