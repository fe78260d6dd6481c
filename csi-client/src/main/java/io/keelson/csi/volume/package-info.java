/**
 * The life of a volume on this node, of whatever kind: attached, staged, published, and back. Each
 * step is recorded before it is taken, so that a daemon that was killed knows what may be half
 * done.
 */
@NullMarked
package io.keelson.csi.volume;

import org.jspecify.annotations.NullMarked;
