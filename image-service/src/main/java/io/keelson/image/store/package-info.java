/** What is kept on disk: unpacked layers by chain id, and records of images. */
@NullMarked
package io.keelson.image.store;

import org.jspecify.annotations.NullMarked;
