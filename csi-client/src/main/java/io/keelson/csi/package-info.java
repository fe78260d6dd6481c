/**
 * Volumes: CSI drivers and other kinds, from nothing to mounted in a container and back.
 *
 * <p>{@code driver} makes the calls, {@code volume} holds the states and the journal, {@code kind}
 * has a class for each kind of volume, {@code pod} is where pods and containers ask, {@code
 * provision} where callers do, and {@code local} is a driver of the project's own.
 */
@NullMarked
package io.keelson.csi;

import org.jspecify.annotations.NullMarked;
