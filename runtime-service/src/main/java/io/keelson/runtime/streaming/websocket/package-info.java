/** WebSocket (RFC 6455), the server's side. */
@NullMarked
package io.keelson.runtime.streaming.websocket;

import org.jspecify.annotations.NullMarked;
