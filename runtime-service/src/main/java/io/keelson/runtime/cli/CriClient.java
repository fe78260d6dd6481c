package io.keelson.runtime.cli;

import io.grpc.ManagedChannel;
import io.keelson.proto.cri.v1.ImageServiceGrpc;
import io.keelson.proto.cri.v1.ImageServiceGrpc.ImageServiceBlockingStub;
import io.keelson.proto.cri.v1.RuntimeServiceGrpc;
import io.keelson.proto.cri.v1.RuntimeServiceGrpc.RuntimeServiceBlockingStub;
import io.keelson.proto.node.v1.DeviceServiceGrpc;
import io.keelson.proto.node.v1.DeviceServiceGrpc.DeviceServiceBlockingStub;
import io.keelson.proto.node.v1.NodeServiceGrpc;
import io.keelson.proto.node.v1.NodeServiceGrpc.NodeServiceBlockingStub;
import io.keelson.proto.node.v1.PluginServiceGrpc;
import io.keelson.proto.node.v1.PluginServiceGrpc.PluginServiceBlockingStub;
import io.keelson.proto.node.v1.VolumeServiceGrpc;
import io.keelson.proto.node.v1.VolumeServiceGrpc.VolumeServiceBlockingStub;
import io.keelson.sandbox.rpc.UnixChannels;
import java.nio.file.Files;
import java.nio.file.Path;

/** A connection to the daemon. */
final class CriClient implements AutoCloseable {

  /** An exec may answer with 16 MiB of each stream. */
  private static final int MAX_MESSAGE_SIZE = 64 << 20;

  private final UnixChannels channels;
  private final ManagedChannel channel;

  private CriClient(UnixChannels channels, ManagedChannel channel) {
    this.channels = channels;
    this.channel = channel;
  }

  /**
   * Connects at the first call.
   *
   * @throws CommandException if there is no socket, or it is not for this user
   */
  static CriClient connect(Path socket) {
    if (Files.notExists(socket)) {
      throw new CommandException(
          ExitCode.UNREACHABLE,
          "no daemon serves "
              + socket
              + "; start it with \"keelson serve\", or name its socket with --socket");
    }
    if (!Files.isWritable(socket)) {
      throw new CommandException(
          ExitCode.UNREACHABLE,
          "you may not use " + socket + "; run this as root or as a member of the socket's group");
    }
    UnixChannels channels = new UnixChannels();
    return new CriClient(channels, channels.open(socket, MAX_MESSAGE_SIZE));
  }

  RuntimeServiceBlockingStub runtime() {
    return RuntimeServiceGrpc.newBlockingStub(channel);
  }

  ImageServiceBlockingStub images() {
    return ImageServiceGrpc.newBlockingStub(channel);
  }

  DeviceServiceBlockingStub devices() {
    return DeviceServiceGrpc.newBlockingStub(channel);
  }

  VolumeServiceBlockingStub volumes() {
    return VolumeServiceGrpc.newBlockingStub(channel);
  }

  NodeServiceBlockingStub node() {
    return NodeServiceGrpc.newBlockingStub(channel);
  }

  PluginServiceBlockingStub plugins() {
    return PluginServiceGrpc.newBlockingStub(channel);
  }

  @Override
  public void close() {
    channel.shutdownNow();
    channels.close();
  }
}
