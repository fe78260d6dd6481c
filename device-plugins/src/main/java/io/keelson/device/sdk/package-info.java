/**
 * For vendors: a device plugin in Java is a {@link io.keelson.device.plugin.DevicePlugin} that is
 * served by a {@link io.keelson.device.sdk.PluginServer}. It works with any node agent that speaks
 * the kubelet's v1beta1.
 */
@NullMarked
package io.keelson.device.sdk;

import org.jspecify.annotations.NullMarked;
