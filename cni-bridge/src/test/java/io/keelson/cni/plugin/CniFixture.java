package io.keelson.cni.plugin;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.PodSandboxMetadata;
import io.keelson.sandbox.port.PodNetwork.Pod;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;

/**
 * Folders for configurations, plugins and cache, with plugins that are shell scripts and write down
 * each call.
 */
public final class CniFixture {

  public static final String RESULT =
      """
      {"cniVersion":"1.0.0","interfaces":[{"name":"veth1"},{"name":"eth0","sandbox":"/run/netns/x"}],
       "ips":[{"address":"10.1.0.5/16","gateway":"10.1.0.1","interface":1}]}\
      """;

  final Path configurations;
  final Path binaries;
  final Path cache;
  private final Path calls;
  private final Path numbers;

  public CniFixture(Path folder) throws IOException {
    configurations = Files.createDirectories(folder.resolve("net.d"));
    binaries = Files.createDirectories(folder.resolve("bin"));
    calls = Files.createDirectories(folder.resolve("calls"));
    numbers = Files.createDirectories(folder.resolve("numbers"));
    cache = folder.resolve("cache");
  }

  /** A call of a plugin as the plugin saw it. */
  record Call(String plugin, Map<String, String> environment, ObjectNode stdin) {

    String command() {
      return environment.getOrDefault("CNI_COMMAND", "");
    }

    @Override
    public String toString() {
      return plugin + " " + command();
    }
  }

  /** One that does {@code cases} of the shell's {@code case $CNI_COMMAND in}. */
  public void plugin(String type, String cases) throws IOException {
    script(
        type,
        """
        #!/bin/sh
        cd %s
        set -- *
        n=$((100000 + $#))
        until mkdir $n 2>/dev/null; do n=$((n + 1)); done
        call=%s/$n
        mkdir $call.part
        env > $call.part/environment
        cat > $call.part/stdin
        echo %s > $call.part/plugin
        mv $call.part $call
        case $CNI_COMMAND in
        %s
        VERSION) echo '{"supportedVersions":["0.3.0","0.3.1","0.4.0","1.0.0","1.1.0"]}';;
        esac
        """
            .formatted(numbers, calls, type, cases));
  }

  /** One that answers every ADD with this and does well whatever else it is asked. */
  public void plugin(String type) throws IOException {
    plugin(type, add(RESULT));
  }

  static String add(String result) {
    return "ADD) echo '" + result + "';;";
  }

  private void script(String type, String content) throws IOException {
    Path file = Files.writeString(binaries.resolve(type + ".new"), content);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    Files.move(file, binaries.resolve(type), StandardCopyOption.REPLACE_EXISTING);
  }

  /** A list of plugins that know nothing but their type. */
  public void configure(String file, String version, String name, String... types)
      throws IOException {
    String plugins =
        Stream.of(types).map("{\"type\":\"%s\"}"::formatted).collect(Collectors.joining(","));
    configure(
        file,
        "{\"cniVersion\":\"%s\",\"name\":\"%s\",\"plugins\":[%s]}"
            .formatted(version, name, plugins));
  }

  void configure(String file, String json) throws IOException {
    write(configurations.resolve(file), json);
  }

  /** All at once: half of it, for whoever looks then, would be a broken file. */
  void write(Path file, String json) throws IOException {
    Path whole = Files.writeString(calls.resolveSibling("whole"), json);
    Files.move(whole, file, StandardCopyOption.REPLACE_EXISTING);
  }

  public void remove(String file) throws IOException {
    Files.delete(configurations.resolve(file));
  }

  CniSettings settings() {
    return new CniSettings(
        configurations,
        List.of(binaries),
        cache,
        Duration.ofSeconds(20),
        Duration.ofSeconds(5),
        Duration.ofMinutes(10),
        System.getenv());
  }

  CniSettings settings(List<Path> pluginFolders) {
    CniSettings all = settings();
    return new CniSettings(
        configurations,
        pluginFolders,
        cache,
        all.callTimeout(),
        all.probeTimeout(),
        all.statusInterval(),
        all.environment());
  }

  CniSettings settings(Duration callTimeout, Duration probeTimeout, Duration statusInterval) {
    return new CniSettings(
        configurations,
        List.of(binaries),
        cache,
        callTimeout,
        probeTimeout,
        statusInterval,
        System.getenv());
  }

  public CniNetwork open() throws IOException {
    return CniNetwork.open(settings());
  }

  AttachmentCache openCache() throws IOException {
    return new AttachmentCache(cache);
  }

  /** What was called, in this order; without VERSION. */
  List<Call> calls() throws IOException {
    try (Stream<Path> folders = Files.list(calls)) {
      return folders
          .filter(folder -> !folder.toString().endsWith(".part"))
          .sorted()
          .map(CniFixture::call)
          .filter(call -> !call.command().equals("VERSION"))
          .toList();
    }
  }

  public List<String> names() throws IOException {
    return calls().stream().map(Call::toString).toList();
  }

  private static Call call(Path folder) {
    try {
      Map<String, String> environment =
          Files.readAllLines(folder.resolve("environment")).stream()
              .filter(line -> line.startsWith("CNI_"))
              .map(line -> line.split("=", 2))
              .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1]));
      return new Call(
          Files.readString(folder.resolve("plugin")).strip(),
          environment,
          Json.parseObject(Files.readAllBytes(folder.resolve("stdin"))));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static Pod pod(String id) {
    return pod(id, PodSandboxConfig.newBuilder());
  }

  static Pod pod(String id, PodSandboxConfig.Builder config) {
    PodSandboxMetadata metadata =
        PodSandboxMetadata.newBuilder()
            .setName("web")
            .setNamespace("shop")
            .setUid("uid-" + id)
            .build();
    return new Pod(
        id, Optional.of(Path.of("/run/netns/" + id)), config.setMetadata(metadata).build());
  }

  public static Pod withoutNetns(Pod pod) {
    return new Pod(pod.sandboxId(), Optional.empty(), pod.config());
  }

  /** For what a thread of the network does by itself. */
  static ConditionFactory soon() {
    return Awaitility.await().atMost(Duration.ofSeconds(30));
  }
}
