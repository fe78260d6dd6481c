package io.keelson.runtime.logging;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.slf4j.event.KeyValuePair;

class LayoutTest {

  private final LoggerContext context = new LoggerContext();

  @Test
  void aLineOfTextNamesPodAndContainerFirst() {
    LoggingEvent event = event("container is created");
    event.setMDCPropertyMap(Map.of("container", "from-call", "pod", "p1"));
    event.setKeyValuePairs(
        List.of(new KeyValuePair("ms", 12), new KeyValuePair("container", "c1")));

    assertThat(new TextLayout().doLayout(event))
        .matches("\\S+ INFO  container is created pod=p1 container=c1 ms=12\n");
  }

  @Test
  void whatAWorkloadSaysCannotPretendToBeALineOfTheLog() {
    LoggingEvent event = event("crun said: no\n2026-11-22 INFO all is well");
    event.setMDCPropertyMap(Map.of());
    event.setKeyValuePairs(List.of(new KeyValuePair("image", "a b=\"c\"\n")));

    assertThat(new TextLayout().doLayout(event))
        .endsWith("crun said: no\\n2026-11-22 INFO all is well image=\"a b=\\\"c\\\"\"\n")
        .hasLineCount(1);
  }

  @Test
  void aLineOfJsonIsOneObject() throws Exception {
    LoggingEvent event = event("a \"quoted\"\nmessage");
    event.setMDCPropertyMap(Map.of());
    event.setKeyValuePairs(List.of(new KeyValuePair("pod", "p1")));
    event.setThrowableProxy(
        new ch.qos.logback.classic.spi.ThrowableProxy(new IllegalStateException("why")));

    String line = new JsonLayout().doLayout(event);

    assertThat(line).hasLineCount(1).endsWith("}\n");
    JsonNode json = new ObjectMapper().readTree(line);
    assertThat(json.get("message").asText()).isEqualTo("a \"quoted\"\nmessage");
    assertThat(json.get("level").asText()).isEqualTo("info");
    assertThat(json.get("pod").asText()).isEqualTo("p1");
    assertThat(json.get("exception").asText()).contains("why");
    assertThat(Instant.parse(json.get("time").asText())).isNotNull();
  }

  private LoggingEvent event(String message) {
    LoggingEvent event = new LoggingEvent();
    event.setLoggerContext(context);
    event.setLoggerName("io.keelson.Test");
    event.setLevel(Level.INFO);
    event.setInstant(Instant.now());
    event.setMessage(message);
    return event;
  }
}
