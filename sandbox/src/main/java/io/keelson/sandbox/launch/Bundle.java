package io.keelson.sandbox.launch;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.keelson.linux.cgroup.CgroupDriver;
import java.io.FileNotFoundException;
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

  private static final JsonFactory JSON = new JsonFactory();

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

  /**
   * The container's control group, as a path below each hierarchy; empty if there is no spec or
   * none in it.
   */
  Optional<String> cgroup() throws IOException {
    try (InputStream file = Files.newInputStream(folder.resolve("config.json"));
        JsonParser in = JSON.createParser(file)) {
      if (in.nextToken() != JsonToken.START_OBJECT || !enter(in, "linux")) {
        return Optional.empty();
      }
      if (in.currentToken() != JsonToken.START_OBJECT || !enter(in, "cgroupsPath")) {
        return Optional.empty();
      }
      return Optional.of(CgroupDriver.group(in.getText()));
    } catch (NoSuchFileException | FileNotFoundException e) {
      return Optional.empty();
    }
  }

  /** True if the spec has hooks of this kind, {@code poststop} for one. */
  boolean hasHooks(String kind) throws IOException {
    return has("hooks", kind);
  }

  /** True if the spec puts the container into a class of Intel's Resource Director. */
  boolean hasResourceClass() throws IOException {
    return has("linux", "intelRdt");
  }

  private boolean has(String member, String memberOfIt) throws IOException {
    try (InputStream file = Files.newInputStream(folder.resolve("config.json"));
        JsonParser in = JSON.createParser(file)) {
      return in.nextToken() == JsonToken.START_OBJECT
          && enter(in, member)
          && in.currentToken() == JsonToken.START_OBJECT
          && enter(in, memberOfIt);
    } catch (NoSuchFileException | FileNotFoundException e) {
      return false;
    }
  }

  /** Goes to the value of a member of the object that the parser is at the start of. */
  private static boolean enter(JsonParser in, String name) throws IOException {
    while (in.nextToken() == JsonToken.FIELD_NAME) {
      boolean found = in.currentName().equals(name);
      in.nextToken();
      if (found) {
        return true;
      }
      in.skipChildren();
    }
    return false;
  }
}
