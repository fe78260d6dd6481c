package io.keelson.runtime.logging;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.Layout;
import ch.qos.logback.core.encoder.LayoutWrappingEncoder;
import io.keelson.runtime.config.LogFormat;
import io.keelson.runtime.config.LogLevel;
import java.nio.charset.StandardCharsets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sets up logging in code: no file is looked for, and nothing is scanned when the daemon starts.
 */
public final class Logging {

  private static final String HARDWARE_ADDRESS =
      "io.grpc.netty.shaded.io.netty.util.internal.MacAddressUtil";

  private Logging() {}

  /**
   * Logs at this level and in this format from now on; the one place that replaces what was set
   * before.
   */
  public static void configure(LogLevel level, LogFormat format) {
    if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
      configure(context, level, format);
    }
    JulBridge.install();
  }

  static void configure(LoggerContext context, LogLevel level, LogFormat format) {
    LayoutWrappingEncoder<ILoggingEvent> encoder = new LayoutWrappingEncoder<>();
    encoder.setContext(context);
    encoder.setCharset(StandardCharsets.UTF_8);
    encoder.setLayout(layout(context, format));
    ConsoleAppender<ILoggingEvent> appender = new ConsoleAppender<>();
    appender.setContext(context);
    appender.setName("stderr");
    appender.setTarget("System.err");
    appender.setEncoder(encoder);
    encoder.start();
    appender.start();

    ch.qos.logback.classic.Logger root = context.getLogger(Logger.ROOT_LOGGER_NAME);
    root.detachAndStopAllAppenders();
    root.addAppender(appender);
    root.setLevel(Level.WARN); // libraries speak up only when something is wrong
    context.getLogger("io.keelson").setLevel(level(level));
    // Warns of a host without a network link that is up, which is none of gRPC's business here.
    context.getLogger(HARDWARE_ADDRESS).setLevel(Level.ERROR);
  }

  private static Layout<ILoggingEvent> layout(LoggerContext context, LogFormat format) {
    Layout<ILoggingEvent> layout =
        switch (format) {
          case TEXT -> new TextLayout();
          case JSON -> new JsonLayout();
        };
    layout.setContext(context);
    layout.start();
    return layout;
  }

  private static Level level(LogLevel level) {
    return switch (level) {
      case ERROR -> Level.ERROR;
      case WARN -> Level.WARN;
      case INFO -> Level.INFO;
      case DEBUG -> Level.DEBUG;
      case TRACE -> Level.TRACE;
    };
  }
}
