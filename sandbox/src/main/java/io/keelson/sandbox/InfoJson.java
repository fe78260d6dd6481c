package io.keelson.sandbox;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.util.JsonFormat;
import java.util.LinkedHashMap;
import java.util.Map;

/** The {@code info} of verbose answers: JSON, with messages of the contract as protobuf's JSON. */
final class InfoJson {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private InfoJson() {}

  static String write(Map<String, Object> details) {
    Map<String, Object> plain = new LinkedHashMap<>();
    try {
      for (Map.Entry<String, Object> detail : details.entrySet()) {
        Object value = detail.getValue();
        plain.put(
            detail.getKey(), value instanceof MessageOrBuilder message ? tree(message) : value);
      }
      return MAPPER.writeValueAsString(plain);
    } catch (InvalidProtocolBufferException | JsonProcessingException e) {
      throw new IllegalStateException("details can't be written as JSON", e);
    }
  }

  /** JSON as a value for {@link #write}; as text if it is none. */
  static Object parsed(String json) {
    try {
      return MAPPER.readValue(json, new TypeReference<Object>() {});
    } catch (JsonProcessingException e) {
      return json;
    }
  }

  private static Object tree(MessageOrBuilder message)
      throws InvalidProtocolBufferException, JsonProcessingException {
    return MAPPER.readValue(
        JsonFormat.printer().preservingProtoFieldNames().print(message),
        new TypeReference<Object>() {});
  }
}
