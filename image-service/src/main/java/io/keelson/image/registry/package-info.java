/** A client of image registries (OCI distribution spec 1.1, docker registry API version 2). */
@NullMarked
package io.keelson.image.registry;

import org.jspecify.annotations.NullMarked;
