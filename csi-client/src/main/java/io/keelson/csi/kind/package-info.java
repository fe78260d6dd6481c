/** The kinds of volumes, one class each. */
@NullMarked
package io.keelson.csi.kind;

import org.jspecify.annotations.NullMarked;
