/**
 * The gRPC edge: the unix socket, what every call goes through (readiness, logging, the mapping of
 * errors to status codes), and the services, which check nothing and decide nothing that the core
 * can.
 */
package io.keelson.runtime.server;
