/** Volumes that pods ask for by annotations. */
@NullMarked
package io.keelson.csi.pod;

import org.jspecify.annotations.NullMarked;
