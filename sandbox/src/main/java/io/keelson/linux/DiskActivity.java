package io.keelson.linux;

import java.util.OptionalLong;

/**
 * What a block device has had to do, for all or for those whom the figures are of. Everything but
 * {@code underway} only grows.
 *
 * @param readsMerged reads that went along with a neighbour; {@code writesMerged} for writes
 * @param readNanos what all reads have taken, each for itself; {@code writeNanos} for writes
 * @param busyNanos time with something to do
 * @param weightedNanos the same, each moment as often as there were operations; empty if it is not
 *     counted
 * @param underway operations that have not ended
 */
public record DiskActivity(
    DeviceNumber device,
    long readsMerged,
    long writesMerged,
    long readNanos,
    long writeNanos,
    long busyNanos,
    OptionalLong weightedNanos,
    long underway) {}
