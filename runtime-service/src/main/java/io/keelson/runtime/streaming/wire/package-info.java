/** What all streaming protocols share: a connection, the HTTP request that opens it, its output. */
@NullMarked
package io.keelson.runtime.streaming.wire;

import org.jspecify.annotations.NullMarked;
