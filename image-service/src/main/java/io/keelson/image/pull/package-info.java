/** How an image comes from its source into the store. */
@NullMarked
package io.keelson.image.pull;

import org.jspecify.annotations.NullMarked;
