package io.keelson.image.store;

import io.keelson.image.reference.Digest;
import java.nio.file.Path;

/**
 * An unpacked layer.
 *
 * @param chainId its name: stands for this layer and all below it (OCI image spec, layer chain id)
 * @param content its files, as overlayfs reads them
 * @param size bytes as unpacking counted them, and the same ever after
 * @param bytes what it takes on disk, which is known better once it is there
 * @param inodes how many it takes
 */
public record Layer(Digest chainId, Path content, long size, long bytes, long inodes) {}
