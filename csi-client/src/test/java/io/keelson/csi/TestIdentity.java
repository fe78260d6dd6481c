package io.keelson.csi;

import io.grpc.stub.StreamObserver;
import io.keelson.proto.csi.v1.GetPluginCapabilitiesRequest;
import io.keelson.proto.csi.v1.GetPluginCapabilitiesResponse;
import io.keelson.proto.csi.v1.GetPluginInfoRequest;
import io.keelson.proto.csi.v1.GetPluginInfoResponse;
import io.keelson.proto.csi.v1.IdentityGrpc;
import io.keelson.proto.csi.v1.PluginCapability;
import io.keelson.proto.csi.v1.ProbeRequest;
import io.keelson.proto.csi.v1.ProbeResponse;

/** The Identity service of a {@link TestDriver}. */
final class TestIdentity extends IdentityGrpc.IdentityImplBase {

  private final TestStorage storage;

  TestIdentity(TestStorage storage) {
    this.storage = storage;
  }

  @Override
  public void getPluginInfo(
      GetPluginInfoRequest request, StreamObserver<GetPluginInfoResponse> answers) {
    answers.onNext(GetPluginInfoResponse.newBuilder().setName(TestDriver.NAME).build());
    answers.onCompleted();
  }

  @Override
  public void getPluginCapabilities(
      GetPluginCapabilitiesRequest request, StreamObserver<GetPluginCapabilitiesResponse> answers) {
    GetPluginCapabilitiesResponse.Builder answer = GetPluginCapabilitiesResponse.newBuilder();
    storage.plugin.forEach(
        type ->
            answer.addCapabilities(
                PluginCapability.newBuilder()
                    .setService(PluginCapability.Service.newBuilder().setType(type))));
    answers.onNext(answer.build());
    answers.onCompleted();
  }

  @Override
  public void probe(ProbeRequest request, StreamObserver<ProbeResponse> answers) {
    answers.onNext(ProbeResponse.getDefaultInstance());
    answers.onCompleted();
  }
}
