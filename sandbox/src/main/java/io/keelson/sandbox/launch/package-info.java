/**
 * The {@link io.keelson.sandbox.port.Launcher} over conmon and an OCI runtime: each container has a
 * conmon that outlives the daemon, writes its log and keeps its exit code.
 */
@NullMarked
package io.keelson.sandbox.launch;

import org.jspecify.annotations.NullMarked;
