/**
 * The daemon's configuration: one list of keys ({@link io.keelson.runtime.config.Keys}) from which
 * the file is read, checked and documented, and the values as the daemon takes them ({@link
 * io.keelson.runtime.config.Configuration}).
 */
package io.keelson.runtime.config;
