package io.keelson.runtime.logging;

import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;
import java.util.logging.SimpleFormatter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes what libraries say through java.util.logging (gRPC does) into the daemon's own log. */
final class JulBridge extends Handler {

  private final SimpleFormatter formatter = new SimpleFormatter();

  private JulBridge() {}

  /** Replaces the handlers of the JDK's root logger. */
  static void install() {
    LogManager.getLogManager().reset();
    java.util.logging.Logger root = LogManager.getLogManager().getLogger("");
    root.addHandler(new JulBridge());
    root.setLevel(Level.INFO);
  }

  @Override
  public void publish(LogRecord line) {
    String name = line.getLoggerName();
    Logger logger = LoggerFactory.getLogger(name == null ? "java.util.logging" : name);
    int level = line.getLevel().intValue();
    var event =
        level >= Level.SEVERE.intValue()
            ? logger.atError()
            : level >= Level.WARNING.intValue()
                ? logger.atWarn()
                : level >= Level.INFO.intValue() ? logger.atInfo() : logger.atDebug();
    event.setCause(line.getThrown()).log("{}", formatter.formatMessage(line));
  }

  @Override
  public void flush() {}

  @Override
  public void close() {}
}
