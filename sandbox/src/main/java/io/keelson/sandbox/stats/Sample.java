package io.keelson.sandbox.stats;

import io.keelson.linux.cgroup.CgroupUsage;
import java.util.OptionalLong;

/**
 * A control group's usage at a moment.
 *
 * @param time nanoseconds since the epoch
 * @param clock the same moment by {@link System#nanoTime}
 * @param cpuRate nanoseconds of processor time a second, over a while before the moment
 */
record Sample(CgroupUsage usage, long time, long clock, OptionalLong cpuRate) {}
