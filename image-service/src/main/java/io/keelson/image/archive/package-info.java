/** Layers as they travel: compressed tar streams, read and unpacked safely. */
@NullMarked
package io.keelson.image.archive;

import org.jspecify.annotations.NullMarked;
