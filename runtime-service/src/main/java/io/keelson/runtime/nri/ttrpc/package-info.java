/**
 * ttrpc, the RPC protocol of containerd, over connections that share one unix socket as NRI wants
 * it. Knows nothing of what is called.
 */
@NullMarked
package io.keelson.runtime.nri.ttrpc;

import org.jspecify.annotations.NullMarked;
