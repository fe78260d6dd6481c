package io.keelson.runtime.logging;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.LayoutBase;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;

/** {@code 2026-11-22T10:11:12.345+01:00 INFO message pod=… container=… key=value}. */
final class TextLayout extends LayoutBase<ILoggingEvent> {

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSXXX").withZone(ZoneId.systemDefault());

  @Override
  public String doLayout(ILoggingEvent event) {
    StringBuilder line = new StringBuilder(160);
    TIME.formatTo(event.getInstant(), line);
    line.append(' ').append(event.getLevel());
    line.append(" ".repeat(Math.max(1, 6 - event.getLevel().toString().length())));
    line.append(oneLine(event.getFormattedMessage()));
    EventFields.of(event)
        .forEach((key, value) -> line.append(' ').append(key).append('=').append(quoted(value)));
    line.append('\n');
    if (event.getThrowableProxy() != null) {
      line.append(ThrowableProxyUtil.asString(event.getThrowableProxy()));
    }
    return line.toString();
  }

  /**
   * A message may hold what a program or a caller said; it can't pretend to be a line of its own.
   */
  private static String oneLine(String text) {
    return text.stripTrailing().replace("\r", "\\r").replace("\n", "\\n");
  }

  private static String quoted(String value) {
    boolean plain =
        !value.isEmpty()
            && value.chars().noneMatch(c -> c <= ' ' || c == '"' || c == '=' || c == 127);
    return plain ? value : '"' + oneLine(value).replace("\"", "\\\"") + '"';
  }
}
