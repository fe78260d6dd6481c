/**
 * The project's own CSI driver: volumes as folders or as files on the node's disk. It is an
 * ordinary driver and shares no state with the daemon.
 */
@NullMarked
package io.keelson.csi.local;

import org.jspecify.annotations.NullMarked;
