package io.keelson.runtime.streaming;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.keelson.sandbox.port.ProcessStreams;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;

/** The sizes that a client's window takes, as flat JSON objects one after another. */
final class WindowSizes {

  private static final int MAX_LENGTH = 1024;
  private static final int MAX_SIDE = 65_535;

  private WindowSizes() {}

  /** Sets each on the terminal, until the stream ends. */
  static void follow(InputStream sizes, ProcessStreams process) throws IOException {
    ObjectMapper json = new ObjectMapper();
    ByteArrayOutputStream object = new ByteArrayOutputStream(32);
    for (int b = sizes.read(); b >= 0; b = sizes.read()) {
      object.write(b);
      if (object.size() > MAX_LENGTH) {
        throw new IOException("a window size of more than " + MAX_LENGTH + " bytes");
      }
      if (b == '}') {
        JsonNode size = json.readTree(object.toByteArray());
        object.reset();
        int width = size.path("Width").asInt();
        int height = size.path("Height").asInt();
        if (width > 0 && height > 0 && width <= MAX_SIDE && height <= MAX_SIDE) {
          process.resize(width, height);
        }
      }
    }
  }
}
