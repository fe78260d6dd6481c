package io.keelson.integration.harness;

import io.grpc.ManagedChannel;
import io.grpc.stub.StreamObserver;
import io.keelson.proto.csi.v1.GetPluginInfoRequest;
import io.keelson.proto.csi.v1.IdentityGrpc;
import io.keelson.proto.pluginregistration.v1.InfoRequest;
import io.keelson.proto.pluginregistration.v1.PluginInfo;
import io.keelson.proto.pluginregistration.v1.RegistrationGrpc;
import io.keelson.proto.pluginregistration.v1.RegistrationStatus;
import io.keelson.proto.pluginregistration.v1.RegistrationStatusResponse;
import io.keelson.sandbox.rpc.UnixChannels;
import io.keelson.sandbox.rpc.UnixServer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Does what the node-driver-registrar of Kubernetes CSI does beside a driver: asks the driver on
 * its socket for its name, serves {@code NAME-reg.sock} in the folder that is watched, names the
 * driver's socket there, and ends with 1 when the registration is refused. It prints what it is
 * told.
 *
 * <p>Arguments: the driver's socket, the watched folder.
 */
final class RegistrarProgram extends RegistrationGrpc.RegistrationImplBase {

  private final String driver;
  private final Path socket;

  private RegistrarProgram(String driver, Path socket) {
    this.driver = driver;
    this.socket = socket;
  }

  public static void main(String[] args) throws IOException, InterruptedException {
    Path driver = Path.of(args[0]).toAbsolutePath();
    String name = nameOf(driver);
    Path socket = Path.of(args[1]).resolve(name + "-reg.sock");
    RegistrarProgram program = new RegistrarProgram(name, driver);
    try (UnixServer _ = UnixServer.start(socket, List.of(program))) {
      Thread.currentThread().join(); // until it is killed
    }
  }

  private static String nameOf(Path socket) {
    try (UnixChannels channels = new UnixChannels()) {
      ManagedChannel channel = channels.open(socket);
      String name =
          IdentityGrpc.newBlockingStub(channel)
              .withWaitForReady()
              .getPluginInfo(GetPluginInfoRequest.getDefaultInstance())
              .getName();
      channel.shutdownNow();
      return name;
    }
  }

  @Override
  public void getInfo(InfoRequest request, StreamObserver<PluginInfo> answers) {
    System.out.println("GetInfo");
    answers.onNext(
        PluginInfo.newBuilder()
            .setType("CSIPlugin")
            .setName(driver)
            .setEndpoint(socket.toString())
            .addSupportedVersions("1.0.0")
            .build());
    answers.onCompleted();
  }

  @Override
  public void notifyRegistrationStatus(
      RegistrationStatus status, StreamObserver<RegistrationStatusResponse> answers) {
    System.out.println("registered: " + status.getPluginRegistered() + " " + status.getError());
    if (!status.getPluginRegistered()) {
      Runtime.getRuntime().halt(1);
    }
    answers.onNext(RegistrationStatusResponse.getDefaultInstance());
    answers.onCompleted();
  }
}
