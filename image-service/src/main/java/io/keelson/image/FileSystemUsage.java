package io.keelson.image;

import java.nio.file.Path;

/**
 * What a part of the store takes of the file system that it is on.
 *
 * @param mountPoint of that file system
 * @param usedBytes as allocated on disk
 * @param inodesUsed files, folders and all other inodes
 */
public record FileSystemUsage(Path mountPoint, long usedBytes, long inodesUsed) {}
