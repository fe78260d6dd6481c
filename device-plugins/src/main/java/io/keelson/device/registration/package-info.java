/**
 * Plugins that make themselves known by a socket in a watched folder (pluginregistration v1): the
 * one door for device plugins, CSI drivers and drivers for dynamic resource allocation.
 */
@NullMarked
package io.keelson.device.registration;

import org.jspecify.annotations.NullMarked;
