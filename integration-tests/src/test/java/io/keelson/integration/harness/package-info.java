/** A node for tests: the real daemon, images, registries, and the check that nothing is left. */
@NullMarked
package io.keelson.integration.harness;

import org.jspecify.annotations.NullMarked;
