package io.keelson.device.cdi;

import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The folders of CDI specs. Each look reads what has changed since the last one, so that an answer
 * is never older than the question, and a node whose containers name no CDI devices pays nothing.
 * Safe for use by many threads.
 */
public final class CdiFolders {

  private final List<Path> folders;

  /** Guarded by this. */
  private final Map<Path, Cached> cache = new HashMap<>();

  /**
   * @param folders those that come later win over those before: {@code /etc/cdi}, {@code
   *     /var/run/cdi}
   */
  public CdiFolders(List<Path> folders) {
    this.folders = List.copyOf(folders);
  }

  /**
   * A file as it was read; either a spec or an error.
   *
   * @param version changes whenever the file does
   */
  private record Cached(Map<String, Object> version, List<CdiSpec> spec, String error) {}

  /**
   * All that is known.
   *
   * @param devices by full name, with the file that each comes from
   * @param errors by file
   */
  public record Inventory(Map<String, Path> devices, Map<Path, String> errors) {}

  /** Devices of one name in one folder; more than one is a conflict. */
  private record Found(CdiSpec spec, int folder, List<Path> files) {}

  /**
   * What these devices change, in their order: each spec's own edits before those of its first
   * device. A device named twice counts once.
   *
   * @throws InvalidRequestException for a name that is none
   * @throws FailedPreconditionException for a device that no spec has
   */
  public CdiEdits resolve(Collection<String> names) {
    if (names.isEmpty()) {
      return CdiEdits.NONE;
    }
    Map<String, Found> known = new HashMap<>();
    Map<Path, String> errors = new TreeMap<>();
    look(known, errors);
    CdiEdits edits = CdiEdits.NONE;
    Set<String> done = new HashSet<>();
    Set<Path> specs = new HashSet<>();
    for (String text : names) {
      CdiName name = CdiName.parse(text);
      if (!done.add(name.toString())) {
        continue;
      }
      Found found = known.get(name.toString());
      if (found == null) {
        throw new FailedPreconditionException(unknown(name, errors));
      }
      if (found.files.size() > 1) {
        throw new FailedPreconditionException(
            "CDI device %s is defined more than once: %s".formatted(name, found.files));
      }
      if (specs.add(found.spec.file())) {
        edits = edits.then(found.spec.edits());
      }
      edits = edits.then(found.spec.devices().getOrDefault(name.device(), CdiEdits.NONE));
    }
    return edits;
  }

  private String unknown(CdiName name, Map<Path, String> errors) {
    String text = "no CDI spec in %s has a device %s".formatted(folders, name);
    return errors.isEmpty() ? text : text + "; specs that can't be used: " + errors;
  }

  /** All devices and all files that can't be used. */
  public Inventory inventory() {
    Map<String, Found> known = new TreeMap<>();
    Map<Path, String> errors = new TreeMap<>();
    look(known, errors);
    Map<String, Path> devices = new LinkedHashMap<>();
    known.forEach(
        (name, found) -> {
          devices.put(name, found.spec.file());
          if (found.files.size() > 1) {
            errors.put(found.spec.file(), name + " is defined more than once: " + found.files);
          }
        });
    return new Inventory(devices, errors);
  }

  private synchronized void look(Map<String, Found> known, Map<Path, String> errors) {
    Set<Path> seen = new HashSet<>();
    for (int priority = 0; priority < folders.size(); priority++) {
      for (Path file : files(folders.get(priority), errors)) {
        seen.add(file);
        Cached read = cached(file);
        if (!read.error.isEmpty()) {
          errors.put(file, read.error);
        }
        for (CdiSpec spec : read.spec) {
          add(known, spec, priority);
        }
      }
    }
    cache.keySet().retainAll(seen);
  }

  private static void add(Map<String, Found> known, CdiSpec spec, int priority) {
    for (String device : spec.devices().keySet()) {
      String name = spec.kind() + "=" + device;
      Found before = known.get(name);
      List<Path> files = new ArrayList<>();
      if (before != null && before.folder == priority) {
        files.addAll(before.files);
      }
      files.add(spec.file());
      known.put(name, new Found(spec, priority, files));
    }
  }

  private static List<Path> files(Path folder, Map<Path, String> errors) {
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder, "*.{json,yaml,yml}")) {
      entries.forEach(files::add);
    } catch (NoSuchFileException | NotDirectoryException e) {
      return List.of();
    } catch (IOException e) {
      errors.put(folder, String.valueOf(e.getMessage()));
    }
    files.sort(null);
    return files;
  }

  private Cached cached(Path file) {
    try {
      Map<String, Object> version =
          Files.readAttributes(file, "unix:ino,size,ctime,lastModifiedTime");
      Cached before = cache.get(file);
      if (before != null && before.version.equals(version)) {
        return before;
      }
      Cached now;
      try {
        now = new Cached(version, List.of(CdiSpecReader.read(file)), "");
      } catch (IOException e) {
        now = new Cached(version, List.of(), String.valueOf(e.getMessage()));
      }
      cache.put(file, now);
      return now;
    } catch (IOException e) { // it went, or can't be read
      return new Cached(Map.of(), List.of(), String.valueOf(e.getMessage()));
    }
  }
}
