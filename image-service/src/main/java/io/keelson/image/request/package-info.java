/** What callers give with what they ask for: a pull, its credentials, its listener, its end. */
@NullMarked
package io.keelson.image.request;

import org.jspecify.annotations.NullMarked;
