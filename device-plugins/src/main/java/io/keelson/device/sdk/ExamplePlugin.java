package io.keelson.device.sdk;

import io.keelson.device.plugin.Device;
import io.keelson.device.plugin.DevicePlugin;
import io.keelson.proto.deviceplugin.v1beta1.CDIDevice;
import io.keelson.proto.deviceplugin.v1beta1.ContainerAllocateResponse;
import io.keelson.proto.deviceplugin.v1beta1.DeviceSpec;
import io.keelson.proto.deviceplugin.v1beta1.Mount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A complete device plugin, to begin from and to test with: widgets, as a text file describes them.
 *
 * <p>{@code ExamplePlugin FOLDER RESOURCE ENDPOINT FILE}. Each line of the file is one of
 *
 * <pre>
 * device ID Healthy|Unhealthy [NUMA]
 * node HOST_PATH CONTAINER_PATH [rwm]    given with every allocation
 * mount HOST_PATH CONTAINER_PATH         read-only
 * cdi NAME
 * prefer-last                            devices are given from the end of the list
 * pre-start                              PreStartContainer is wanted
 * delay MILLISECONDS CALL                of allocate, prefer or pre-start
 * refuse WORDS                           Allocate fails
 * </pre>
 *
 * and is read again when it changes. Every call is written down in FILE.calls.
 */
public final class ExamplePlugin implements DevicePlugin {

  private static final Duration LOOK = Duration.ofMillis(100);

  private final Path file;
  private volatile List<String> lines;
  private volatile boolean closed;

  private ExamplePlugin(Path file) throws IOException {
    this.file = file;
    this.lines = Files.readAllLines(file);
  }

  /** Runs until it is killed. */
  public static void main(String[] args) throws Exception {
    ExamplePlugin plugin = new ExamplePlugin(Path.of(args[3]));
    try (PluginServer server = PluginServer.start(Path.of(args[0]), args[1], args[2], plugin)) {
      server.awaitClose();
    }
  }

  @Override
  public void watch(Listener listener) {
    listener.devices(devices());
    Thread.ofPlatform().daemon().name("widgets").start(() -> follow(listener));
  }

  private void follow(Listener listener) {
    try {
      FileTime seen = FileTime.fromMillis(0);
      while (!closed) {
        FileTime now = Files.getLastModifiedTime(file);
        if (!now.equals(seen)) {
          seen = now;
          lines = Files.readAllLines(file);
          listener.devices(devices());
        }
        TimeUnit.NANOSECONDS.sleep(LOOK.toNanos());
      }
    } catch (IOException | InterruptedException e) {
      listener.ended(String.valueOf(e.getMessage()));
    }
  }

  private List<Device> devices() {
    List<Device> devices = new ArrayList<>();
    for (String[] words : said("device")) {
      List<Long> nodes = words.length > 3 ? List.of(Long.valueOf(words[3])) : List.of();
      devices.add(new Device(words[1], words[2].equals("Healthy"), nodes, Map.of()));
    }
    return devices;
  }

  private List<String[]> said(String keyword) {
    return lines.stream()
        .map(line -> line.strip().split("\\s+"))
        .filter(words -> words[0].equals(keyword))
        .toList();
  }

  @Override
  public boolean hasPreference() {
    return !said("prefer-last").isEmpty();
  }

  @Override
  public boolean wantsPreStart() {
    return !said("pre-start").isEmpty();
  }

  @Override
  public List<String> prefer(List<String> available, List<String> mustInclude, int size)
      throws IOException {
    begin("prefer", available);
    return available.stream().sorted(Comparator.reverseOrder()).limit(size).toList();
  }

  @Override
  public ContainerAllocateResponse allocate(List<String> ids) throws IOException {
    begin("allocate", ids);
    for (String[] words : said("refuse")) {
      throw new IOException(String.join(" ", List.of(words).subList(1, words.length)));
    }
    ContainerAllocateResponse.Builder answer = ContainerAllocateResponse.newBuilder();
    answer.putEnvs("WIDGETS", String.join(",", ids));
    answer.putAnnotations("example.vendor/widgets", String.join(",", ids));
    for (String[] words : said("node")) {
      answer.addDevices(
          DeviceSpec.newBuilder()
              .setHostPath(words[1])
              .setContainerPath(words[2])
              .setPermissions(words.length > 3 ? words[3] : "rw"));
    }
    for (String[] words : said("mount")) {
      answer.addMounts(
          Mount.newBuilder().setHostPath(words[1]).setContainerPath(words[2]).setReadOnly(true));
    }
    for (String[] words : said("cdi")) {
      answer.addCdiDevices(CDIDevice.newBuilder().setName(words[1]));
    }
    return answer.build();
  }

  @Override
  public void preStart(List<String> ids) throws IOException {
    begin("pre-start", ids);
  }

  private void begin(String call, List<String> ids) throws IOException {
    note(call, ids);
    lines = Files.readAllLines(file); // who changed it a moment ago means this call already
    for (String[] words : said("delay")) {
      if (words[2].equals(call)) {
        try {
          TimeUnit.MILLISECONDS.sleep(Long.parseLong(words[1]));
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new IOException("interrupted", e);
        }
      }
    }
  }

  private synchronized void note(String call, List<String> ids) throws IOException {
    Files.writeString(
        Path.of(file + ".calls"),
        call + " " + String.join(",", ids) + "\n",
        StandardOpenOption.CREATE,
        StandardOpenOption.APPEND);
  }

  @Override
  public void close() {
    closed = true;
  }
}
