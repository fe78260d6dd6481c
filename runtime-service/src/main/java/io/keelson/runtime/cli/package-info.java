/**
 * The command line {@code keelson}: a CRI client over the daemon's socket, for people and scripts.
 * One class a command.
 */
package io.keelson.runtime.cli;
