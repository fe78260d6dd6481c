/** Libraries that inflate deflate data, of which a host has one or two. */
@NullMarked
package io.keelson.linux.inflate;

import org.jspecify.annotations.NullMarked;
