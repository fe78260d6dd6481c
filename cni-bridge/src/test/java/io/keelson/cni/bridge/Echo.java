package io.keelson.cni.bridge;

import io.keelson.sandbox.port.PodNetwork.Pod;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;

/** A server in a pod, over TCP and UDP, that answers with the address from which it was asked. */
final class Echo implements AutoCloseable {

  static final int PORT = 7000;

  static final int PATIENCE_MILLIS = 15_000;

  private final ServerSocket tcp;
  private final DatagramSocket udp;
  private final Thread tcpThread;
  private final Thread udpThread;

  private Echo(ServerSocket tcp, DatagramSocket udp) {
    this.tcp = tcp;
    this.udp = udp;
    this.tcpThread = Thread.ofPlatform().daemon().start(this::serveTcp);
    this.udpThread = Thread.ofPlatform().daemon().start(this::serveUdp);
  }

  static Echo in(TestNode node, Pod pod) throws IOException {
    return node.in(pod, Echo::here);
  }

  /** In the namespace of the calling thread. */
  static Echo here() throws IOException {
    return new Echo(new ServerSocket(PORT), new DatagramSocket(PORT));
  }

  /**
   * Asks from the namespace of the calling thread, over TCP; gives the address that the server saw.
   */
  static String ask(InetAddress address, int port) throws IOException {
    return ask(address, port, PATIENCE_MILLIS);
  }

  /**
   * As {@link #ask(InetAddress, int)}, where no answer is expected.
   *
   * @param patience in milliseconds
   */
  static String ask(InetAddress address, int port, int patience) throws IOException {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(address, port), patience);
      socket.setSoTimeout(patience);
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    }
  }

  /** As {@link #ask}, over UDP. */
  static String askUdp(InetAddress address, int port) throws IOException {
    try (DatagramSocket socket = new DatagramSocket()) {
      socket.setSoTimeout(PATIENCE_MILLIS);
      socket.connect(address, port);
      return askUdp(socket);
    }
  }

  /** As {@link #askUdp(InetAddress, int)}, from a socket that is connected. */
  static String askUdp(DatagramSocket socket) throws IOException {
    socket.send(new DatagramPacket(new byte[] {1}, 1));
    DatagramPacket answer = new DatagramPacket(new byte[100], 100);
    socket.receive(answer);
    return new String(answer.getData(), 0, answer.getLength(), StandardCharsets.US_ASCII);
  }

  private void serveTcp() {
    while (!tcp.isClosed()) {
      try (Socket socket = tcp.accept()) {
        String peer = socket.getInetAddress().getHostAddress();
        socket.getOutputStream().write(peer.getBytes(StandardCharsets.US_ASCII));
      } catch (SocketException e) {
        return; // closed
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  private void serveUdp() {
    while (!udp.isClosed()) {
      try {
        DatagramPacket packet = new DatagramPacket(new byte[100], 100);
        udp.receive(packet);
        byte[] peer = packet.getAddress().getHostAddress().getBytes(StandardCharsets.US_ASCII);
        udp.send(new DatagramPacket(peer, peer.length, packet.getSocketAddress()));
      } catch (SocketException e) {
        return; // closed
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  @Override
  public void close() throws IOException {
    tcp.close();
    udp.close();
    try {
      tcpThread.join();
      udpThread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
