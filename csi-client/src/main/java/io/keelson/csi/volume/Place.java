package io.keelson.csi.volume;

import io.keelson.proto.record.v1.VolumeRecord;
import java.nio.file.Path;

/**
 * Where a volume is published.
 *
 * @param path what containers mount
 * @param staging where it is staged, if its driver does so
 */
public record Place(VolumeRecord volume, Path path, Path staging) {}
