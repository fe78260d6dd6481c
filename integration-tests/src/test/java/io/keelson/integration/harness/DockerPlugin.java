package io.keelson.integration.harness;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A Docker volume plugin whose volumes are folders; it counts who has them mounted. */
public final class DockerPlugin implements AutoCloseable {

  private static final Pattern NAME = Pattern.compile("\"Name\":\"([^\"]+)\"");
  private static final Pattern ID = Pattern.compile("\"ID\":\"([^\"]+)\"");

  private final Path volumes;
  private final ServerSocketChannel server;
  private final Set<String> mounted = ConcurrentHashMap.newKeySet();
  private final List<String> calls = new CopyOnWriteArrayList<>();
  private final Map<String, String> refusals = new ConcurrentHashMap<>();

  private DockerPlugin(Path volumes, ServerSocketChannel server) {
    this.volumes = volumes;
    this.server = server;
  }

  /**
   * @param volumes holds a folder for each volume
   */
  public static DockerPlugin start(Path socket, Path volumes) throws IOException {
    Files.createDirectories(volumes);
    Files.deleteIfExists(socket);
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(socket));
    DockerPlugin plugin = new DockerPlugin(volumes, server);
    Thread.ofVirtual().start(plugin::serve);
    return plugin;
  }

  /** The ids that have a volume mounted. */
  public Set<String> mounted() {
    return Set.copyOf(mounted);
  }

  /** All calls so far, each with its body behind it. */
  public List<String> calls() {
    return List.copyOf(calls);
  }

  /** From now on a method answers with an error; {@code ""} for none. */
  public void refuse(String method, String words) {
    refusals.put(method, words);
  }

  private void serve() {
    while (server.isOpen()) {
      try (SocketChannel connection = server.accept()) {
        answer(connection);
      } catch (IOException e) {
        if (server.isOpen()) {
          throw new UncheckedIOException(e);
        }
      }
    }
  }

  private void answer(SocketChannel connection) throws IOException {
    BufferedReader in =
        new BufferedReader(
            new InputStreamReader(Channels.newInputStream(connection), StandardCharsets.UTF_8));
    String method = in.readLine().split(" ", -1)[1].substring(1).replace("VolumeDriver.", "");
    int length = 0;
    for (String line = in.readLine(); !line.isEmpty(); line = in.readLine()) {
      if (line.startsWith("Content-Length: ")) {
        length = Integer.parseInt(line.substring("Content-Length: ".length()));
      }
    }
    char[] body = new char[length];
    int read = 0;
    while (read < length) {
      read += in.read(body, read, length - read);
    }
    String answer = answer(method, new String(body));
    // In chunks, as Go's servers answer.
    String text =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"
            .formatted(answer.length(), answer);
    connection.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
  }

  private String answer(String method, String body) throws IOException {
    calls.add(method + " " + body);
    String refusal = refusals.getOrDefault(method, "");
    if (!refusal.isEmpty()) {
      return "{\"Err\": \"" + refusal + "\"}";
    }
    Matcher name = NAME.matcher(body);
    Matcher id = ID.matcher(body);
    Path volume = name.find() ? volumes.resolve(name.group(1)) : volumes;
    boolean there = Files.isDirectory(volume);
    switch (method) {
      case "Create" -> Files.createDirectories(volume);
      case "Mount" -> {
        if (there && id.find()) {
          mounted.add(id.group(1));
        }
      }
      case "Unmount" -> {
        if (id.find()) {
          mounted.remove(id.group(1));
        }
      }
      default -> {}
    }
    if (!there && !method.equals("Create")) {
      return "{\"Err\": \"no such volume\"}";
    }
    return switch (method) {
      case "Get" -> "{\"Volume\": {\"Name\": \"" + volume.getFileName() + "\"}, \"Err\": \"\"}";
      case "Plugin.Activate" -> "{\"Implements\": [\"VolumeDriver\"]}";
      case "Capabilities" -> "{\"Capabilities\": {\"Scope\": \"global\"}}";
      case "List" -> "{\"Volumes\": [" + all() + "], \"Err\": \"\"}";
      // As a plugin that tells the place only where it is asked for it.
      case "Mount" -> "{\"Err\": \"\"}";
      case "Path" -> "{\"Mountpoint\": \"" + volume + "\", \"Err\": \"\"}";
      default -> "{\"Err\": \"\"}";
    };
  }

  private String all() throws IOException {
    try (Stream<Path> folders = Files.list(volumes)) {
      return folders
          .map(
              each ->
                  "{\"Name\": \"%s\", \"Mountpoint\": \"%s\"}".formatted(each.getFileName(), each))
          .collect(Collectors.joining(", "));
    }
  }

  /** Ends as by SIGKILL: its socket stays. */
  @Override
  public void close() throws IOException {
    server.close();
  }
}
