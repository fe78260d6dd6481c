/** TLS towards registries: whom to trust, and what to show. */
@NullMarked
package io.keelson.image.registry.tls;

import org.jspecify.annotations.NullMarked;
