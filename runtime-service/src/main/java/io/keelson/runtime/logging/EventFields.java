package io.keelson.runtime.logging;

import ch.qos.logback.classic.spi.ILoggingEvent;
import java.util.LinkedHashMap;
import java.util.Map;
import org.slf4j.event.KeyValuePair;

/** The keys and values of a line: those of the call that it belongs to, and its own. */
final class EventFields {

  /** These come first on each line, in this order. */
  private static final String[] IDS = {"pod", "container"};

  private EventFields() {}

  /** What the line itself says of a key wins over what is said of the call. */
  static Map<String, String> of(ILoggingEvent event) {
    Map<String, String> all = new LinkedHashMap<>();
    event.getMDCPropertyMap().forEach(all::put);
    if (event.getKeyValuePairs() != null) {
      for (KeyValuePair pair : event.getKeyValuePairs()) {
        all.put(pair.key, String.valueOf(pair.value));
      }
    }
    Map<String, String> ordered = new LinkedHashMap<>();
    for (String id : IDS) {
      String value = all.remove(id);
      if (value != null) {
        ordered.put(id, value);
      }
    }
    ordered.putAll(all);
    return ordered;
  }
}
