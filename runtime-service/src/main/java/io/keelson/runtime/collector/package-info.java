/** Clients of collectors of OpenTelemetry: where traces go. */
@NullMarked
package io.keelson.runtime.collector;

import org.jspecify.annotations.NullMarked;
