/** The whole daemon against the real kernel, OCI runtimes, conmon, CNI plugins and registries. */
@NullMarked
package io.keelson.integration;

import org.jspecify.annotations.NullMarked;
