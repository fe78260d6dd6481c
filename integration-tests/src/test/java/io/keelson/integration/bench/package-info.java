/** Pulls side by side with other programs, for {@code scripts/bench-images --against}. */
@NullMarked
package io.keelson.integration.bench;

import org.jspecify.annotations.NullMarked;
