/** Root file systems of containers, made from layers. */
@NullMarked
package io.keelson.image.rootfs;

import org.jspecify.annotations.NullMarked;
