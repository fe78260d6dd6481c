/**
 * The Linux kernel, by JNA: mounts, namespaces, processes, files. Knows nothing of containers.
 *
 * <p>64-bit Linux (x86-64, aarch64) from 5.10 on with glibc 2.34 or newer. A native call pins the
 * carrier of a virtual thread for as long as it lasts, so what may wait says in its Javadoc where
 * it waits; everything else returns within microseconds and may be called from any thread.
 */
@NullMarked
package io.keelson.linux;

import org.jspecify.annotations.NullMarked;
