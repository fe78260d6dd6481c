/**
 * The Container Device Interface (CDI 1.0): devices by name, from specs that vendors put into the
 * standard folders, and what such a device changes in a container.
 */
@NullMarked
package io.keelson.device.cdi;

import org.jspecify.annotations.NullMarked;
