package io.keelson.image.registry;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.StringJoiner;

/** The errors in a registry's answer (OCI distribution spec, "Error Codes"). */
final class ErrorBody {

  private static final int MAX_SUMMARY = 300;
  private static final ObjectMapper JSON = new ObjectMapper();

  private ErrorBody() {}

  /** Codes and messages in one line; the text's beginning if it has none. */
  static String summary(String body) {
    StringJoiner summary = new StringJoiner("; ");
    try {
      for (JsonNode error : JSON.readTree(body).path("errors")) {
        summary.add(error.path("code").asText("") + ": " + error.path("message").asText(""));
      }
    } catch (JsonProcessingException e) {
      // A proxy or a web server that says it in its own way.
    }
    String text = summary.length() > 0 ? summary.toString() : body;
    String line = text.strip().replaceAll("[\\p{Cntrl}\\s]+", " ");
    return line.length() > MAX_SUMMARY ? line.substring(0, MAX_SUMMARY) + "…" : line;
  }
}
