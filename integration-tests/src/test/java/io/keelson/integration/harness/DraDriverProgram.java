package io.keelson.integration.harness;

import io.grpc.stub.StreamObserver;
import io.keelson.proto.dra.v1.Claim;
import io.keelson.proto.dra.v1.DRAPluginGrpc;
import io.keelson.proto.dra.v1.Device;
import io.keelson.proto.dra.v1.NodePrepareResourceResponse;
import io.keelson.proto.dra.v1.NodePrepareResourcesRequest;
import io.keelson.proto.dra.v1.NodePrepareResourcesResponse;
import io.keelson.proto.dra.v1.NodeUnprepareResourceResponse;
import io.keelson.proto.dra.v1.NodeUnprepareResourcesRequest;
import io.keelson.proto.dra.v1.NodeUnprepareResourcesResponse;
import io.keelson.proto.pluginregistration.v1.InfoRequest;
import io.keelson.proto.pluginregistration.v1.PluginInfo;
import io.keelson.proto.pluginregistration.v1.RegistrationGrpc;
import io.keelson.proto.pluginregistration.v1.RegistrationStatus;
import io.keelson.proto.pluginregistration.v1.RegistrationStatusResponse;
import io.keelson.sandbox.rpc.UnixServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/**
 * A driver of dynamic resource allocation: {@code SOCKET NAME FILE}. Each line of the file, which
 * is read at every call, is one of
 *
 * <pre>
 * cdi NAME          a device of every claim
 * refuse WORDS      a claim is not prepared
 * silent            claims are not answered for
 * hang              calls are not answered
 * die               it ends when a call has done its work
 * </pre>
 *
 * Every call is written down in FILE.calls.
 */
final class DraDriverProgram {

  private final Path socket;
  private final String name;
  private final Path file;

  private DraDriverProgram(Path socket, String name, Path file) {
    this.socket = socket;
    this.name = name;
    this.file = file;
  }

  public static void main(String[] args) throws Exception {
    new DraDriverProgram(Path.of(args[0]).toAbsolutePath(), args[1], Path.of(args[2])).serve();
  }

  private void serve() throws IOException, InterruptedException {
    try (UnixServer _ = UnixServer.start(socket, List.of(new Registration(), new Driver()))) {
      Thread.currentThread().join(); // until it is killed
    }
  }

  private boolean says(String word) {
    return read().contains(word);
  }

  private List<String> said(String keyword) {
    return read().stream()
        .filter(line -> line.startsWith(keyword + " "))
        .map(line -> line.substring(keyword.length() + 1))
        .toList();
  }

  private List<String> read() {
    try {
      return Files.readAllLines(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private synchronized void note(String call, Claim claim) {
    try {
      Files.writeString(
          Path.of(file + ".calls"),
          "%s %s/%s@%s%n".formatted(call, claim.getNamespace(), claim.getName(), claim.getUid()),
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private <T> void answer(StreamObserver<T> observer, T answer) {
    if (says("die")) {
      Runtime.getRuntime().halt(1);
    }
    if (!says("hang")) {
      observer.onNext(answer);
      observer.onCompleted();
    }
  }

  private final class Registration extends RegistrationGrpc.RegistrationImplBase {

    @Override
    public void getInfo(InfoRequest request, StreamObserver<PluginInfo> observer) {
      observer.onNext(
          PluginInfo.newBuilder()
              .setType("DRAPlugin")
              .setName(name)
              .setEndpoint(socket.toString())
              .addSupportedVersions("v1.DRAPlugin")
              .build());
      observer.onCompleted();
    }

    @Override
    public void notifyRegistrationStatus(
        RegistrationStatus status, StreamObserver<RegistrationStatusResponse> observer) {
      observer.onNext(RegistrationStatusResponse.getDefaultInstance());
      observer.onCompleted();
    }
  }

  private final class Driver extends DRAPluginGrpc.DRAPluginImplBase {

    @Override
    public void nodePrepareResources(
        NodePrepareResourcesRequest request,
        StreamObserver<NodePrepareResourcesResponse> observer) {
      var answer = NodePrepareResourcesResponse.newBuilder();
      for (Claim claim : request.getClaimsList()) {
        note("prepare", claim);
        if (!says("silent")) {
          answer.putClaims(
              claim.getUid(),
              NodePrepareResourceResponse.newBuilder()
                  .setError(String.join(" ", said("refuse")))
                  .addDevices(Device.newBuilder().addAllCdiDeviceIds(said("cdi")))
                  .build());
        }
      }
      answer(observer, answer.build());
    }

    @Override
    public void nodeUnprepareResources(
        NodeUnprepareResourcesRequest request,
        StreamObserver<NodeUnprepareResourcesResponse> observer) {
      var answer = NodeUnprepareResourcesResponse.newBuilder();
      for (Claim claim : request.getClaimsList()) {
        note("unprepare", claim);
        answer.putClaims(claim.getUid(), NodeUnprepareResourceResponse.getDefaultInstance());
      }
      answer(observer, answer.build());
    }
  }
}
