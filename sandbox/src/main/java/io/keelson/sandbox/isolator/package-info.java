/**
 * The isolators that need nothing but the kernel: each shapes one aspect of a container, in one
 * file. {@link io.keelson.sandbox.isolator.StandardIsolators} lists them in their order.
 */
package io.keelson.sandbox.isolator;
