package io.keelson.runtime.server;

import io.keelson.proto.cri.v1.AttachRequest;
import io.keelson.proto.cri.v1.AttachResponse;
import io.keelson.proto.cri.v1.ExecRequest;
import io.keelson.proto.cri.v1.ExecResponse;
import io.keelson.proto.cri.v1.PortForwardRequest;
import io.keelson.proto.cri.v1.PortForwardResponse;
import io.keelson.runtime.streaming.StreamRequest;
import io.keelson.runtime.streaming.StreamingServer;
import io.keelson.sandbox.Containers;
import io.keelson.sandbox.Pods;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.port.ExecSession.Wanted;

/** The calls of RuntimeService that answer with the URL of a stream. */
public final class StreamingCalls {

  private final Containers containers;
  private final Pods pods;
  private final StreamingServer server;

  public StreamingCalls(Containers containers, Pods pods, StreamingServer server) {
    this.containers = containers;
    this.pods = pods;
    this.server = server;
  }

  ExecResponse exec(ExecRequest request) {
    String id = Requests.containerId(request.getContainerId());
    if (request.getCmdList().isEmpty()) {
      throw new InvalidRequestException("the exec has no command");
    }
    Wanted wanted =
        wanted(request.getStdin(), request.getStdout(), request.getStderr(), request.getTty());
    String container = containers.requireRunning(id, "exec");
    return ExecResponse.newBuilder()
        .setUrl(server.url(new StreamRequest.Exec(container, request.getCmdList(), wanted)))
        .build();
  }

  AttachResponse attach(AttachRequest request) {
    String id = Requests.containerId(request.getContainerId());
    Wanted wanted =
        wanted(request.getStdin(), request.getStdout(), request.getStderr(), request.getTty());
    String container = containers.requireRunning(id, "attach");
    return AttachResponse.newBuilder()
        .setUrl(server.url(new StreamRequest.Attach(container, wanted)))
        .build();
  }

  PortForwardResponse portForward(PortForwardRequest request) {
    for (int port : request.getPortList()) {
      if (port < 1 || port > 65_535) {
        throw new InvalidRequestException("there is no port " + port);
      }
    }
    String pod = pods.requireReady(Requests.podId(request.getPodSandboxId()));
    return PortForwardResponse.newBuilder()
        .setUrl(server.url(new StreamRequest.PortForward(pod, request.getPortList())))
        .build();
  }

  private static Wanted wanted(boolean stdin, boolean stdout, boolean stderr, boolean terminal) {
    if (!stdin && !stdout && !stderr) {
      throw new InvalidRequestException(
          "at least one of stdin, stdout and stderr must be asked for");
    }
    if (terminal && stderr) {
      throw new InvalidRequestException("a terminal has no stderr of its own: tty excludes stderr");
    }
    return new Wanted(stdin, stdout, stderr, terminal);
  }
}
