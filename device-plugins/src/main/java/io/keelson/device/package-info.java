/**
 * Devices: advertised by plugins of vendors and by built-in ones, allocated, put into containers
 * and pods, and given back. {@link io.keelson.device.Devices} is the whole of it for the daemon.
 */
@NullMarked
package io.keelson.device;

import org.jspecify.annotations.NullMarked;
