/**
 * The built-in vendors: GPUs, USB devices, NICs and device nodes by path, each a {@link
 * io.keelson.device.plugin.DevicePlugin} like a vendor's, as the administrator's files define them.
 */
@NullMarked
package io.keelson.device.builtin;

import org.jspecify.annotations.NullMarked;
