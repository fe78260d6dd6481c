package io.keelson.sandbox.spec;

/**
 * One resource limit of the process (setrlimit(2)).
 *
 * @param type such as {@code RLIMIT_NOFILE}
 * @param soft -1 for unlimited
 * @param hard -1 for unlimited
 */
public record SpecRlimit(String type, long soft, long hard) {}
