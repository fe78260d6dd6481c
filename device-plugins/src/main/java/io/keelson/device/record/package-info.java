/** What is kept of devices over restarts. */
@NullMarked
package io.keelson.device.record;

import org.jspecify.annotations.NullMarked;
