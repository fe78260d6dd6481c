/** Where images come from; a registry, a folder or an archive, all look the same from here. */
@NullMarked
package io.keelson.image.source;

import org.jspecify.annotations.NullMarked;
