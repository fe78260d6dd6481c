package io.keelson.device.cdi;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.keelson.linux.AtomicFile;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.spec.SpecBuilder;
import io.keelson.sandbox.spec.SpecUser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * Gives containers CDI devices when they are made, and looks again just before they start: a
 * vendor's tool may have written its spec anew in between, as after a device was reset. What was
 * given is noted in the bundle, beside config.json. Safe for use by many threads, one for each
 * container.
 */
public final class CdiInjection {

  private static final String NOTE = "cdi.json";
  private static final String SPEC = "config.json";
  private static final ObjectMapper JSON = new ObjectMapper();

  private final CdiFolders folders;
  private final Path resourceClasses;

  /**
   * @param resourceClasses where the host's resctrl file system is, if it has one
   */
  public CdiInjection(CdiFolders folders, Path resourceClasses) {
    this.folders = folders;
    this.resourceClasses = resourceClasses;
  }

  /**
   * Gives a container that is being made these devices, beside those that it got before.
   *
   * @param bundle its folder
   * @param privileged it has access to all devices as it is
   * @return what was applied, all but the network devices
   * @throws FailedPreconditionException if one is not known, or wants what this host has not
   */
  public CdiEdits inject(
      Path bundle, Collection<String> names, SpecBuilder spec, boolean privileged)
      throws IOException {
    CdiEdits edits = resolve(names);
    CdiApplication.apply(edits, spec, privileged);
    ArrayNode notes = notes(bundle);
    ObjectNode note = notes.addObject();
    names.forEach(note.putArray("names")::add);
    note.put("privileged", privileged);
    note.put("uid", spec.user().uid()).put("gid", spec.user().gid());
    note.set("edits", fragment(edits, note));
    write(bundle.resolve(NOTE), notes);
    return edits;
  }

  /**
   * Writes what has changed since into a container's config.json.
   *
   * @return what its devices need now, for what has changed
   * @throws FailedPreconditionException if one is not known any more, or wants what this host has
   *     not
   */
  public List<CdiEdits> refresh(Path bundle) throws IOException {
    List<CdiEdits> changed = new ArrayList<>();
    ArrayNode notes = notes(bundle);
    for (JsonNode entry : notes) {
      ObjectNode note = (ObjectNode) entry;
      List<String> names = note.path("names").valueStream().map(JsonNode::asText).toList();
      CdiEdits edits = resolve(names);
      ObjectNode now = fragment(edits, note);
      JsonNode before = note.path("edits");
      if (!before.equals(now)) {
        Path file = bundle.resolve(SPEC);
        ObjectNode spec = (ObjectNode) JSON.readTree(Files.readAllBytes(file));
        SpecDifference.apply(before, now, spec);
        write(file, spec);
        note.set("edits", now);
        changed.add(edits);
      }
    }
    if (!changed.isEmpty()) {
      write(bundle.resolve(NOTE), notes);
    }
    return changed;
  }

  /** Not every OCI runtime says that it can't give a class of resources. */
  private CdiEdits resolve(Collection<String> names) throws IOException {
    CdiEdits edits = folders.resolve(names);
    if (edits.intelRdt().isPresent() && !Files.exists(resourceClasses.resolve("schemata"))) {
      throw new FailedPreconditionException(
          "CDI devices %s want cache or memory bandwidth of their own (intelRdt): no resctrl file"
                  .formatted(names)
              + " system is mounted at "
              + resourceClasses);
    }
    return edits;
  }

  /** What the edits alone make of a spec. */
  private static ObjectNode fragment(CdiEdits edits, JsonNode note) throws IOException {
    SpecBuilder alone = new SpecBuilder();
    alone.user(new SpecUser(note.path("uid").asLong(), note.path("gid").asLong(), List.of()));
    CdiApplication.apply(edits, alone, note.path("privileged").asBoolean());
    ObjectNode fragment = SpecDifference.relevant(JSON.readTree(alone.toJson()));
    edits.netDevices().forEach(device -> fragment.withArrayProperty("net").add(device.toString()));
    return fragment;
  }

  private static ArrayNode notes(Path bundle) throws IOException {
    try {
      return (ArrayNode) JSON.readTree(Files.readAllBytes(bundle.resolve(NOTE)));
    } catch (NoSuchFileException _) {
      return JSON.createArrayNode(); // the usual case
    }
  }

  private static void write(Path file, JsonNode json) throws IOException {
    AtomicFile.write(file, JSON.writeValueAsBytes(json), false);
  }
}
