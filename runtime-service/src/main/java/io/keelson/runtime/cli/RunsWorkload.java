package io.keelson.runtime.cli;

/**
 * A command whose exit code is that of a workload, so that its own failures all end in one code.
 */
interface RunsWorkload {}
