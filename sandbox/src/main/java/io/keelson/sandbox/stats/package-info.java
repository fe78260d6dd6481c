/**
 * What pods and containers use: read from the kernel's files and netlink, kept for a second, told
 * in CRI's messages. Starts no process.
 */
package io.keelson.sandbox.stats;
