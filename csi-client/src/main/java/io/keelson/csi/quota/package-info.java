/** Limits on what a folder may hold. */
@NullMarked
package io.keelson.csi.quota;

import org.jspecify.annotations.NullMarked;
