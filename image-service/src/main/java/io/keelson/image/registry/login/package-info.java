/**
 * What is kept on a node for logging in to registries: files as docker and podman write them, and
 * credential helpers.
 */
@NullMarked
package io.keelson.image.registry.login;

import org.jspecify.annotations.NullMarked;
