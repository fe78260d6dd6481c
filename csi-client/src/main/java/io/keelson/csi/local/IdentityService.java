package io.keelson.csi.local;

import com.google.protobuf.BoolValue;
import io.grpc.stub.StreamObserver;
import io.keelson.proto.csi.v1.GetPluginCapabilitiesRequest;
import io.keelson.proto.csi.v1.GetPluginCapabilitiesResponse;
import io.keelson.proto.csi.v1.GetPluginInfoRequest;
import io.keelson.proto.csi.v1.GetPluginInfoResponse;
import io.keelson.proto.csi.v1.IdentityGrpc;
import io.keelson.proto.csi.v1.PluginCapability;
import io.keelson.proto.csi.v1.ProbeRequest;
import io.keelson.proto.csi.v1.ProbeResponse;

/** What the local driver is. */
final class IdentityService extends IdentityGrpc.IdentityImplBase {

  private final String name;
  private final String version;

  IdentityService(String name, String version) {
    this.name = name;
    this.version = version;
  }

  @Override
  public void getPluginInfo(
      GetPluginInfoRequest request, StreamObserver<GetPluginInfoResponse> answers) {
    Failures.answer(
        answers,
        () -> GetPluginInfoResponse.newBuilder().setName(name).setVendorVersion(version).build());
  }

  @Override
  public void getPluginCapabilities(
      GetPluginCapabilitiesRequest request, StreamObserver<GetPluginCapabilitiesResponse> answers) {
    Failures.answer(
        answers,
        () ->
            GetPluginCapabilitiesResponse.newBuilder()
                .addCapabilities(service(PluginCapability.Service.Type.CONTROLLER_SERVICE))
                .addCapabilities(service(PluginCapability.Service.Type.SNAPSHOT_METADATA_SERVICE))
                .addCapabilities(
                    service(PluginCapability.Service.Type.VOLUME_ACCESSIBILITY_CONSTRAINTS))
                .addCapabilities(
                    PluginCapability.newBuilder()
                        .setVolumeExpansion(
                            PluginCapability.VolumeExpansion.newBuilder()
                                .setType(PluginCapability.VolumeExpansion.Type.ONLINE)))
                .build());
  }

  private static PluginCapability service(PluginCapability.Service.Type type) {
    return PluginCapability.newBuilder()
        .setService(PluginCapability.Service.newBuilder().setType(type))
        .build();
  }

  @Override
  public void probe(ProbeRequest request, StreamObserver<ProbeResponse> answers) {
    Failures.answer(answers, () -> ProbeResponse.newBuilder().setReady(BoolValue.of(true)).build());
  }
}
