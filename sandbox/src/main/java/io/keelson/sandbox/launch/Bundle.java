package io.keelson.sandbox.launch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.keelson.linux.cgroup.CgroupDriver;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;

/** The files of a launched container in its bundle, beside config.json. */
record Bundle(Path folder) {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Written by the runtime, whole or not at all for our purposes: a number without a newline. */
  Path initPid() {
    return folder.resolve("init.pid");
  }

  Path monitorPid() {
    return folder.resolve("conmon.pid");
  }

  /** Made by conmon, empty, when the kernel kills a process of the container for want of memory. */
  Path shortOfMemory() {
    return folder.resolve("oom");
  }

  /** The fifo through which conmon takes orders; it fixes the name. */
  Path control() {
    return folder.resolve("ctl");
  }

  /** The socket of conmon at which the container's streams are; it fixes the name. */
  Path attach() {
    return folder.resolve("attach");
  }

  /** What CRIU writes while it restores the container. */
  Path restoring() {
    return folder.resolve("restoring");
  }

  static OptionalInt readPid(Path file) throws IOException {
    try {
      String text = Files.readString(file, StandardCharsets.UTF_8).strip();
      return text.matches("[1-9][0-9]{0,9}")
          ? OptionalInt.of(Integer.parseInt(text))
          : OptionalInt.empty();
    } catch (NoSuchFileException e) {
      return OptionalInt.empty();
    }
  }

  /** config.json as it is now; one that says nothing if it is not there. */
  Spec spec() throws IOException {
    try (InputStream file = Files.newInputStream(folder.resolve("config.json"))) {
      return new Spec(JSON.readTree(file));
    } catch (NoSuchFileException e) {
      return new Spec(JSON.missingNode());
    }
  }

  /** What config.json says of the part that the runtime has in a container's start and end. */
  record Spec(JsonNode json) {

    /** The container's control group, as a path below each hierarchy; empty if there is none. */
    Optional<String> cgroup() {
      JsonNode path = json.path("linux").path("cgroupsPath");
      return path.isTextual()
          ? Optional.of(CgroupDriver.group(path.textValue()))
          : Optional.empty();
    }

    /** True if there are hooks of this kind, {@code poststop} for one. */
    boolean hasHooks(String kind) {
      return json.path("hooks").has(kind);
    }

    /** True if the container is put into a class of Intel's Resource Director. */
    boolean hasResourceClass() {
      return json.path("linux").has("intelRdt");
    }
  }
}
