package io.keelson.sandbox.spec;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * A config.json that was written earlier, read back from its bundle. Immutable, safe for use by
 * many threads.
 */
public final class StoredSpec {

  private static final JsonFactory JSON = new JsonFactory();
  private static final ObjectMapper TREES = new ObjectMapper(JSON);
  private static final String TERM = "TERM=";

  private final byte[] json;

  /**
   * Takes a spec as it was read.
   *
   * @param json the content of a bundle's config.json
   */
  public StoredSpec(byte[] json) {
    this.json = json.clone();
  }

  /**
   * The {@code process} object for a further command in the container: same user, environment,
   * capabilities, limits and working directory, another command line. Reads no further than the
   * process object.
   *
   * @param terminal the command gets a pseudo terminal, and TERM if the container has none
   * @throws IOException if the spec is damaged
   */
  public byte[] execProcess(List<String> args, boolean terminal) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(4096);
    try (JsonParser in = JSON.createParser(json);
        JsonGenerator out = JSON.createGenerator(bytes)) {
      enterProcess(in);
      out.writeStartObject();
      out.writeBooleanField("terminal", terminal);
      out.writeFieldName("args");
      out.writeStartArray();
      for (String arg : args) {
        out.writeString(arg);
      }
      out.writeEndArray();
      while (in.nextToken() == JsonToken.FIELD_NAME) {
        String name = in.currentName();
        in.nextToken();
        switch (name) {
          case "terminal", "args", "consoleSize" -> in.skipChildren();
          case "env" -> copyEnv(in, out, terminal);
          default -> {
            out.writeFieldName(name);
            out.copyCurrentStructure(in);
          }
        }
      }
      out.writeEndObject();
    }
    return bytes.toByteArray();
  }

  private static void enterProcess(JsonParser in) throws IOException {
    if (in.nextToken() == JsonToken.START_OBJECT) {
      while (in.nextToken() == JsonToken.FIELD_NAME) {
        boolean found = in.currentName().equals("process");
        if (in.nextToken() == JsonToken.START_OBJECT && found) {
          return;
        }
        in.skipChildren();
      }
    }
    throw new IOException("config.json has no process");
  }

  private static void copyEnv(JsonParser in, JsonGenerator out, boolean terminal)
      throws IOException {
    boolean hasTerm = false;
    out.writeFieldName("env");
    out.writeStartArray();
    while (in.nextToken() == JsonToken.VALUE_STRING) {
      String variable = in.getText();
      hasTerm |= variable.startsWith(TERM);
      out.writeString(variable);
    }
    if (terminal && !hasTerm) {
      out.writeString(TERM + "xterm");
    }
    out.writeEndArray();
  }

  /**
   * The same spec with other limits, for a container that is not created yet by its runtime.
   *
   * @param resources as {@link SpecBuilder#resources} writes them; what they leave out stays as it
   *     is
   * @throws IOException if either is damaged
   */
  public byte[] withResources(byte[] resources) throws IOException {
    JsonNode spec = TREES.readTree(json);
    JsonNode changes = TREES.readTree(resources);
    if (!(spec instanceof ObjectNode root) || !(changes instanceof ObjectNode wanted)) {
      throw new IOException("config.json or the resources are no JSON object");
    }
    merge(root.withObjectProperty("linux").withObjectProperty("resources"), wanted);
    return TREES.writeValueAsBytes(root);
  }

  /** The spec with these changes, made in their order. */
  static byte[] edit(byte[] json, List<Consumer<ObjectNode>> changes) {
    try {
      ObjectNode root = (ObjectNode) TREES.readTree(json);
      changes.forEach(change -> change.accept(root));
      return TREES.writeValueAsBytes(root);
    } catch (IOException e) {
      throw new UncheckedIOException("reading from memory", e);
    }
  }

  private static void merge(ObjectNode into, ObjectNode changes) {
    for (Map.Entry<String, JsonNode> change : changes.properties()) {
      if (change.getValue() instanceof ObjectNode inner
          && into.get(change.getKey()) instanceof ObjectNode present) {
        merge(present, inner);
      } else {
        into.set(change.getKey(), change.getValue());
      }
    }
  }
}
