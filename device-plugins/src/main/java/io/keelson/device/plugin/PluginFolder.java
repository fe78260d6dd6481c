package io.keelson.device.plugin;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.keelson.device.registration.PluginHandler;
import io.keelson.proto.deviceplugin.v1beta1.Empty;
import io.keelson.proto.deviceplugin.v1beta1.RegisterRequest;
import io.keelson.proto.deviceplugin.v1beta1.RegistrationGrpc;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.rpc.UnixChannels;
import io.keelson.sandbox.rpc.UnixServer;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The folder where vendors' plugins register: the server side of v1beta1's Registration, on the
 * socket {@code kubelet.sock} as plugins expect it. They keep their own sockets beside it.
 *
 * <p>At the start the sockets of plugins are removed, as a kubelet does: many plugins watch their
 * own socket, or ours, to know when to register anew.
 */
public final class PluginFolder implements PluginHandler, AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(PluginFolder.class);

  /** The version of the contract, as plugins name it. */
  public static final String VERSION = "v1beta1";

  /** The name that vendors have built into their plugins. */
  public static final String SOCKET = "kubelet.sock";

  private static final int S_IFMT = 0170000;
  private static final int S_IFSOCK = 0140000;

  private final Path folder;
  private final PluginRegistry registry;
  private final UnixChannels channels;
  private final UnixServer server;

  private PluginFolder(Path folder, PluginRegistry registry, UnixChannels channels)
      throws IOException {
    this.folder = folder;
    this.registry = registry;
    this.channels = channels;
    Files.createDirectories(folder);
    Path socket = folder.resolve(SOCKET);
    if (isServed(socket)) {
      throw new IOException(
          socket
              + " is served by another process, such as a kubelet: configure another folder in"
              + " devices.plugin_dir");
    }
    removeSockets();
    server = UnixServer.start(socket, List.of(new RegistrationService()));
  }

  /**
   * Serves when it returns.
   *
   * @throws IOException if another process serves there, or the folder can't be used
   */
  public static PluginFolder open(Path folder, PluginRegistry registry, UnixChannels channels)
      throws IOException {
    return new PluginFolder(folder, registry, channels);
  }

  /** For plugins that register by a socket in a watched folder instead. */
  @Override
  public void validate(String name, Path endpoint, List<String> versions) {
    ResourceName.check(name);
    if (!versions.contains(VERSION)) {
      throw new InvalidRequestException(
          "device plugins are spoken to in %s; this one knows %s".formatted(VERSION, versions));
    }
  }

  @Override
  public void register(String name, Path endpoint, List<String> versions) throws IOException {
    registry.add(name, RemotePlugin.connect(endpoint, channels));
  }

  /** The end of its list of devices tells that a plugin is gone, earlier than its socket does. */
  @Override
  public void deregister(String name, Path endpoint) {}

  @Override
  public void close() throws IOException {
    server.close();
  }

  private void removeSockets() throws IOException {
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
      for (Path entry : entries) {
        int mode = (Integer) Files.getAttribute(entry, "unix:mode", LinkOption.NOFOLLOW_LINKS);
        if ((mode & S_IFMT) == S_IFSOCK) {
          Files.deleteIfExists(entry);
        }
      }
    }
  }

  private static boolean isServed(Path socket) {
    if (!Files.exists(socket)) {
      return false;
    }
    try (SocketChannel client = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      client.configureBlocking(false);
      client.connect(UnixDomainSocketAddress.of(socket));
      return true;
    } catch (IOException e) {
      return false; // the file of a process that is gone
    }
  }

  private final class RegistrationService extends RegistrationGrpc.RegistrationImplBase {

    /** Answers at once: a plugin of one thread serves its devices only when it has the answer. */
    @Override
    public void register(RegisterRequest request, StreamObserver<Empty> observer) {
      Path endpoint;
      try {
        validate(request.getResourceName(), folder, List.of(request.getVersion()));
        endpoint = endpoint(request.getEndpoint());
      } catch (KeelsonException e) {
        log.atWarn()
            .addKeyValue("resource", request.getResourceName())
            .log("device plugin is refused: {}", e.getMessage());
        observer.onError(
            Status.INVALID_ARGUMENT.withDescription(e.getMessage()).asRuntimeException());
        return;
      }
      observer.onNext(Empty.getDefaultInstance());
      observer.onCompleted();
      Thread.ofVirtual()
          .name("device-plugin")
          .start(() -> connect(request.getResourceName(), endpoint));
    }

    private Path endpoint(String name) {
      if (name.isEmpty() || name.contains("/") || name.equals(SOCKET) || name.startsWith("..")) {
        throw new InvalidRequestException(
            "endpoint \"%s\" is not the name of a socket in the plugins' folder".formatted(name));
      }
      return folder.resolve(name);
    }

    private void connect(String resource, Path endpoint) {
      try {
        registry.add(resource, RemotePlugin.connect(endpoint, channels));
      } catch (IOException | RuntimeException e) {
        log.atWarn()
            .addKeyValue("resource", resource)
            .log("device plugin has registered and can't be reached: {}", e.getMessage());
      }
    }
  }
}
