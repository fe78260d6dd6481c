package io.keelson.runtime.config;

/** How traces are sent. */
public enum TraceProtocol {
  HTTP,
  GRPC
}
