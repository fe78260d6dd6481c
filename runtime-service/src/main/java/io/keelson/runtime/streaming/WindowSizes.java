package io.keelson.runtime.streaming;

import io.keelson.sandbox.port.ProcessStreams;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The sizes that a client's window takes, as flat JSON objects one after another. */
final class WindowSizes {

  private static final int MAX_LENGTH = 1024;
  private static final int MAX_SIDE = 65_535;

  // The first size is wanted before the command looks at it; to load a parser of JSON takes longer.
  private static final Pattern WIDTH = Pattern.compile("\"Width\"\\s*:\\s*([0-9]{1,5})\\b");
  private static final Pattern HEIGHT = Pattern.compile("\"Height\"\\s*:\\s*([0-9]{1,5})\\b");

  private WindowSizes() {}

  /** Sets each on the terminal, until the stream ends. */
  static void follow(InputStream sizes, ProcessStreams process) throws IOException {
    ByteArrayOutputStream object = new ByteArrayOutputStream(32);
    for (int b = sizes.read(); b >= 0; b = sizes.read()) {
      object.write(b);
      if (object.size() > MAX_LENGTH) {
        throw new IOException("a window size of more than " + MAX_LENGTH + " bytes");
      }
      if (b == '}') {
        String json = object.toString(StandardCharsets.UTF_8);
        object.reset();
        int width = number(WIDTH, json);
        int height = number(HEIGHT, json);
        if (width > 0 && height > 0) {
          process.resize(width, height);
        }
      }
    }
  }

  /** 0 if it is not there, or is no side of a window. */
  private static int number(Pattern pattern, String json) {
    Matcher matcher = pattern.matcher(json);
    int number = matcher.find() ? Integer.parseInt(matcher.group(1)) : 0;
    return number <= MAX_SIDE ? number : 0;
  }
}
