/** CSI drivers: where they are, what they can do, and the calls that are made to them. */
@NullMarked
package io.keelson.csi.driver;

import org.jspecify.annotations.NullMarked;
