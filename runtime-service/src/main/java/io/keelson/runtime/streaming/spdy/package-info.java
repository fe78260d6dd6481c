/**
 * SPDY/3.1 as Kubernetes clients speak it: many streams over one connection, each with headers,
 * both ways, and ends of their own. They don't control the flow of single streams, so neither do
 * we.
 */
@NullMarked
package io.keelson.runtime.streaming.spdy;

import org.jspecify.annotations.NullMarked;
