package io.keelson.runtime.config;

/** How much is logged; each level includes those before it. */
public enum LogLevel {
  ERROR,
  WARN,
  INFO,
  DEBUG,
  TRACE
}
