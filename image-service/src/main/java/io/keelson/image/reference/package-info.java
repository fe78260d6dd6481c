/** Names of images and digests of content, as the distribution project defines them. */
@NullMarked
package io.keelson.image.reference;

import org.jspecify.annotations.NullMarked;
