package io.keelson.runtime.nri;

import io.keelson.linux.Fd;
import io.keelson.linux.Spawn;
import io.keelson.linux.SpawnFiles;
import io.keelson.linux.Spawned;
import io.keelson.linux.UnixSocket;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds the programs in the folder of plugins, and starts them. */
final class PluginLauncher {

  /**
   * A plugin that runs.
   *
   * @param socket connected to its file descriptor 3
   */
  record Launched(Spawned process, SocketChannel socket) {}

  private static final Logger LOG = LoggerFactory.getLogger(PluginLauncher.class);
  private static final int PLUGIN_FD = 3;
  private static final String PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

  private final NriSettings settings;
  private final Path scratch;

  /**
   * Finds and starts what {@code settings} name.
   *
   * @param scratch a folder for sockets that live for a moment
   */
  PluginLauncher(NriSettings settings, Path scratch) {
    this.settings = settings;
    this.scratch = scratch;
  }

  /** The plugins of the folder by their index; a file of another name is logged and left alone. */
  List<PluginIdentity> find() throws IOException {
    List<PluginIdentity> found = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(settings.pluginFolder())) {
      for (Path file : files) {
        if (Files.isRegularFile(file) && Files.isExecutable(file)) {
          try {
            found.add(PluginIdentity.ofFile(file.getFileName().toString()));
          } catch (IllegalArgumentException e) {
            LOG.atWarn().addKeyValue("file", file).setCause(e).log("this is no NRI plugin");
          }
        }
      }
    } catch (NoSuchFileException _) {
      return List.of(); // the usual case
    }
    found.sort(Comparator.comparing(PluginIdentity::label));
    return found;
  }

  /** The plugin's configuration; empty if there is none. */
  String config(PluginIdentity plugin) throws IOException {
    for (String name : List.of(plugin.label(), plugin.name())) {
      try {
        return Files.readString(settings.configFolder().resolve(name + ".conf"));
      } catch (NoSuchFileException _) {
        // the next one
      }
    }
    return "";
  }

  /**
   * Starts a plugin with a connected socket. It leads a session, so that all of it can be ended.
   */
  Launched launch(PluginIdentity plugin) throws IOException {
    Path folder = Files.createTempDirectory(Files.createDirectories(scratch), "nri-"); // 0700
    Path path = folder.resolve("s");
    try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      listener.bind(UnixDomainSocketAddress.of(path));
      try (Fd end = UnixSocket.connect(path)) {
        SocketChannel socket = listener.accept();
        try {
          Spawned process =
              Spawn.start(
                  List.of(settings.pluginFolder().resolve(plugin.label()).toString()),
                  Map.of(
                      "PATH", PATH,
                      "NRI_PLUGIN_NAME", plugin.name(),
                      "NRI_PLUGIN_IDX", plugin.index(),
                      "NRI_PLUGIN_SOCKET", Integer.toString(PLUGIN_FD)),
                  null,
                  SpawnFiles.none().fd(PLUGIN_FD, end),
                  true);
          return new Launched(process, socket);
        } catch (IOException | RuntimeException e) {
          socket.close();
          throw e;
        }
      }
    } finally {
      Files.deleteIfExists(path);
      Files.deleteIfExists(folder);
    }
  }
}
