/**
 * Folder trees by file descriptor: the {@code …at} calls of Linux, for code that builds or takes
 * away a tree which a stranger has named the parts of. Nothing here follows a symbolic link unless
 * it says so.
 *
 * <p>Names and paths are the kernel's bytes, as strings of one {@code char} for each byte (ISO
 * 8859-1), so that every name survives whatever it was meant to be encoded in. The calls touch
 * local file systems and may wait for the disk: for platform threads.
 */
@NullMarked
package io.keelson.linux.tree;

import org.jspecify.annotations.NullMarked;
