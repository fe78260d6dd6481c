package io.keelson.runtime.logging;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.LayoutBase;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.Map;

/** One JSON object a line: time (RFC 3339), level, logger, message, then the line's own keys. */
final class JsonLayout extends LayoutBase<ILoggingEvent> {

  private final JsonFactory json = new JsonFactory();

  @Override
  public String doLayout(ILoggingEvent event) {
    StringWriter line = new StringWriter(256);
    try (JsonGenerator object = json.createGenerator(line)) {
      object.writeStartObject();
      object.writeStringField("time", event.getInstant().toString());
      object.writeStringField("level", event.getLevel().toString().toLowerCase(Locale.ROOT));
      object.writeStringField("logger", event.getLoggerName());
      object.writeStringField("message", event.getFormattedMessage());
      for (Map.Entry<String, String> field : EventFields.of(event).entrySet()) {
        object.writeStringField(field.getKey(), field.getValue());
      }
      if (event.getThrowableProxy() != null) {
        object.writeStringField(
            "exception", ThrowableProxyUtil.asString(event.getThrowableProxy()));
      }
      object.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException("a line of the log in memory", e);
    }
    return line.append('\n').toString();
  }
}
