/**
 * Devices in containers and pods: what is asked for by annotations is allocated, and what plugins
 * and CDI specs answer goes into the spec.
 */
@NullMarked
package io.keelson.device.container;

import org.jspecify.annotations.NullMarked;
