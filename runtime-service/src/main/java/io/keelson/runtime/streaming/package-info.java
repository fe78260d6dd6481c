/**
 * The streaming server: Exec, Attach and PortForward of CRI. The gRPC call gives a URL with a
 * token; who connects there within a minute gets the streams, over SPDY/3.1 or WebSocket. Each
 * connection is plain blocking code on virtual threads.
 */
@NullMarked
package io.keelson.runtime.streaming;

import org.jspecify.annotations.NullMarked;
