package io.keelson.sandbox.launch;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a runtime says went wrong, out of the form in which it says it: plain lines (crun), {@code
 * time="…" level=error msg="…"} (runc), or objects of JSON (both, if asked).
 */
final class RuntimeWords {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern LOGFMT =
      Pattern.compile("level=(\\w+) msg=(\"((?:[^\"\\\\]|\\\\.)*)\"|\\S+)");

  private RuntimeWords() {}

  /** All that it said, in one line; {@code ""} if nothing. */
  static String of(String output) {
    List<String> words = new ArrayList<>();
    for (String line : output.strip().split("\n", -1)) {
      String text = line(line.strip());
      if (!text.isEmpty() && !words.contains(text)) {
        words.add(text);
      }
    }
    return String.join("; ", words);
  }

  /** The last error in a log of JSON lines; empty if there is none. */
  static Optional<String> errorIn(String log) {
    Optional<String> error = Optional.empty();
    for (String line : log.split("\n", -1)) {
      Optional<JsonNode> entry = parse(line.strip());
      if (entry.isPresent()) {
        String level = entry.get().path("level").asText();
        if (level.equals("error") || level.equals("fatal")) {
          error = Optional.of(entry.get().path("msg").asText().strip());
        }
      }
    }
    return error;
  }

  private static String line(String line) {
    Optional<JsonNode> json = parse(line);
    if (json.isPresent()) {
      return json.get().path("msg").asText(line).strip();
    }
    Matcher matcher = LOGFMT.matcher(line);
    if (!matcher.find()) {
      return line;
    }
    String quoted = matcher.group(3);
    return quoted == null ? matcher.group(2) : unescape(quoted).strip();
  }

  private static Optional<JsonNode> parse(String line) {
    if (!line.startsWith("{")) {
      return Optional.empty();
    }
    try {
      return Optional.of(JSON.readTree(line));
    } catch (JsonProcessingException e) {
      return Optional.empty();
    }
  }

  private static String unescape(String text) {
    return text.replace("\\\"", "\"").replace("\\n", " ").replace("\\t", " ").replace("\\\\", "\\");
  }
}
