/**
 * Where a registry is asked, host by host: {@code hosts.toml} and certificate folders as containerd
 * and docker lay them out.
 */
@NullMarked
package io.keelson.image.registry.hosts;

import org.jspecify.annotations.NullMarked;
