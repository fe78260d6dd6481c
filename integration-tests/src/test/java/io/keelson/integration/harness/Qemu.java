package io.keelson.integration.harness;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The monitor of the virtual machine that the tests run in: plugs hardware in and out. Speaks QMP
 * over a port that the machine has for it; one at a time can have it open.
 */
public final class Qemu implements AutoCloseable {

  private static final String PORT = "/dev/virtio-ports/qmp";

  private final ObjectMapper json = new ObjectMapper();
  private final RandomAccessFile port;
  private final Set<String> plugged = new LinkedHashSet<>();

  private Qemu(RandomAccessFile port) {
    this.port = port;
  }

  public static Qemu connect() throws IOException {
    Qemu qemu = new Qemu(new RandomAccessFile(PORT, "rw"));
    // Refused where an earlier client has done it, which is as good.
    JsonNode _ = qemu.call("qmp_capabilities", Map.of());
    return qemu;
  }

  /** Plugs in a device; it has come when the guest's kernel has found it, a moment later. */
  public void plugIn(String id, String driver, Map<String, Object> properties) throws IOException {
    Map<String, Object> arguments = new LinkedHashMap<>(properties);
    arguments.put("id", id);
    arguments.put("driver", driver);
    succeed("device_add", arguments);
    plugged.add(id);
  }

  /** Plugs it out; returns when it is gone from the machine. */
  public void plugOut(String id) throws IOException {
    succeed("device_del", Map.of("id", id));
    JsonNode event;
    do {
      event = read();
    } while (!event.path("event").asText().equals("DEVICE_DELETED")
        || !event.path("data").path("device").asText().equals(id));
    plugged.remove(id);
  }

  /** Plugs out what a test has left. */
  public void plugOutAll() throws IOException {
    for (String id : List.copyOf(plugged)) {
      plugOut(id);
    }
  }

  private void succeed(String command, Map<String, ?> arguments) throws IOException {
    JsonNode answer = call(command, arguments);
    if (answer.has("error")) {
      throw new IOException(command + " " + arguments + ": " + answer.path("error"));
    }
  }

  private JsonNode call(String command, Map<String, ?> arguments) throws IOException {
    port.write(json.writeValueAsBytes(Map.of("execute", command, "arguments", arguments)));
    while (true) {
      JsonNode answer = read();
      if (answer.has("return") || answer.has("error")) {
        return answer;
      }
    }
  }

  private JsonNode read() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int next = port.read(); next != '\n'; next = port.read()) {
      if (next < 0) {
        throw new IOException("the monitor is gone");
      }
      line.write(next);
    }
    return json.readTree(line.toByteArray());
  }

  @Override
  public void close() throws IOException {
    port.close();
  }
}
