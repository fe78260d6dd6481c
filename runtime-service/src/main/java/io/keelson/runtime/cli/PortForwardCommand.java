package io.keelson.runtime.cli;

import io.grpc.StatusRuntimeException;
import io.keelson.proto.cri.v1.PodSandbox;
import io.keelson.proto.cri.v1.PortForwardRequest;
import io.keelson.runtime.cli.stream.PortStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code keelson port-forward}. */
@Command(
    name = "port-forward",
    description = {
      "Makes ports of a pod reachable on this node until it is ended with Ctrl-C.",
      "A connection reaches the pod as one of its own on its loopback."
    })
final class PortForwardCommand extends ClientCommand {

  @Option(
      names = "--address",
      paramLabel = "ADDRESS",
      description = "Where to listen on this node. Default: 127.0.0.1.")
  private String address = "127.0.0.1";

  @Parameters(
      index = "0",
      paramLabel = "POD",
      description = "A name, an id or the beginning of an id.")
  private String name = "";

  @Parameters(
      index = "1..*",
      arity = "1..*",
      paramLabel = "[LOCAL:]PORT",
      description = "A port of the pod, and which one of this node leads to it; 0 for a free one.")
  private List<String> ports = List.of();

  PortForwardCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int run(CriClient daemon) throws IOException, InterruptedException {
    PodSandbox pod =
        new Lookup(daemon)
            .findPod(name)
            .orElseThrow(
                () ->
                    CommandException.notFound(
                        "no pod is called \"" + name + "\"; \"keelson pods\" lists them"));
    List<Thread> listening = new ArrayList<>();
    for (String mapping : ports) {
      int colon = mapping.indexOf(':');
      int remote = port(mapping.substring(colon + 1), 1);
      int local = colon < 0 ? remote : port(mapping.substring(0, colon), 0);
      ServerSocket listener = listen(local);
      terminal().out().printf("%s:%d -> %s:%d%n", address, listener.getLocalPort(), name, remote);
      listening.add(
          Thread.ofVirtual()
              .name("listen-" + local)
              .start(() -> accept(daemon, pod.getId(), listener, remote)));
    }
    for (Thread thread : listening) {
      thread.join();
    }
    return ExitCode.FAILED;
  }

  private static int port(String text, int least) {
    if (text.matches("[0-9]{1,5}")) {
      int port = Integer.parseInt(text);
      if (port >= least && port <= 65_535) {
        return port;
      }
    }
    throw CommandException.usage("\"" + text + "\" is no port");
  }

  private ServerSocket listen(int port) throws IOException {
    ServerSocket listener = new ServerSocket();
    try {
      listener.bind(new InetSocketAddress(InetAddress.ofLiteral(address), port));
      return listener;
    } catch (IOException e) {
      listener.close();
      throw new IOException(address + " port " + port + ": " + e.getMessage(), e);
    } catch (IllegalArgumentException e) {
      throw CommandException.usage("\"" + address + "\" is no IP address");
    }
  }

  private void accept(CriClient daemon, String podId, ServerSocket listener, int remote) {
    try {
      while (true) {
        Socket connection = listener.accept();
        Thread.ofVirtual().name("carry").start(() -> carry(daemon, podId, connection, remote));
      }
    } catch (IOException e) {
      terminal().err().println("keelson: no more connections: " + e.getMessage());
    }
  }

  private void carry(CriClient daemon, String podId, Socket connection, int remote) {
    try (connection) {
      String url =
          daemon
              .runtime()
              .portForward(
                  PortForwardRequest.newBuilder().setPodSandboxId(podId).addPort(remote).build())
              .getUrl();
      PortStream.carry(connection, url, remote);
    } catch (IOException | StatusRuntimeException e) {
      terminal().err().println("keelson: " + e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
