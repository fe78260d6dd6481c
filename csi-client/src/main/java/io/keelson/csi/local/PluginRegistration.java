package io.keelson.csi.local;

import io.grpc.stub.StreamObserver;
import io.keelson.proto.pluginregistration.v1.InfoRequest;
import io.keelson.proto.pluginregistration.v1.PluginInfo;
import io.keelson.proto.pluginregistration.v1.RegistrationGrpc;
import io.keelson.proto.pluginregistration.v1.RegistrationStatus;
import io.keelson.proto.pluginregistration.v1.RegistrationStatusResponse;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells a kubelet, or whoever else watches a folder of plugins, of a driver. */
public final class PluginRegistration extends RegistrationGrpc.RegistrationImplBase {

  private static final Logger LOG = LoggerFactory.getLogger(PluginRegistration.class);

  private final String name;
  private final Path endpoint;

  public PluginRegistration(String name, Path endpoint) {
    this.name = name;
    this.endpoint = endpoint;
  }

  @Override
  public void getInfo(InfoRequest request, StreamObserver<PluginInfo> answers) {
    Failures.answer(
        answers,
        () ->
            PluginInfo.newBuilder()
                .setType("CSIPlugin")
                .setName(name)
                .setEndpoint(endpoint.toString())
                .addSupportedVersions("1.0.0")
                .build());
  }

  @Override
  public void notifyRegistrationStatus(
      RegistrationStatus status, StreamObserver<RegistrationStatusResponse> answers) {
    if (status.getPluginRegistered()) {
      LOG.atInfo().addKeyValue("driver", name).log("registered");
    } else {
      LOG.atError()
          .addKeyValue("driver", name)
          .addKeyValue("why", status.getError())
          .log("registration was refused");
    }
    Failures.answer(answers, RegistrationStatusResponse::getDefaultInstance);
  }
}
