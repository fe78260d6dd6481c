/** Dynamic resource allocation: claims that a pod names are prepared by their drivers. */
@NullMarked
package io.keelson.device.dra;

import org.jspecify.annotations.NullMarked;
