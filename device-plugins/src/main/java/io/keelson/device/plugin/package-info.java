/**
 * Plugins that offer devices: the contract, the plugins of vendors behind their sockets, and the
 * registry of all resources of the node.
 */
@NullMarked
package io.keelson.device.plugin;

import org.jspecify.annotations.NullMarked;
