/**
 * How the daemon and the command line log: to standard error, as text for people or JSON for
 * programs.
 */
package io.keelson.runtime.logging;
