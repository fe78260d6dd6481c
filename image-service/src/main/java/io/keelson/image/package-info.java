/**
 * Images: pulled or imported, kept as unpacked layers, handed out as root file systems.
 *
 * <p>{@link io.keelson.image.Images} is the way in; it also gives the {@link
 * io.keelson.sandbox.port.Provisioner} that works on the same store.
 */
@NullMarked
package io.keelson.image;

import org.jspecify.annotations.NullMarked;
