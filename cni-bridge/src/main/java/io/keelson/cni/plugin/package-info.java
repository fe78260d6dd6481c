/**
 * The network as external CNI plugins make it (CNI spec 1.1). {@link
 * io.keelson.cni.plugin.CniNetwork} is the door; behind it the configuration's folder, the call of
 * one plugin, the chain of plugins, the memory of attachments and the watch over the network's
 * readiness are one class each.
 */
@NullMarked
package io.keelson.cni.plugin;

import org.jspecify.annotations.NullMarked;
