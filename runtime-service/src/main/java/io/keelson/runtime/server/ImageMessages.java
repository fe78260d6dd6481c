package io.keelson.runtime.server;

import io.keelson.image.FileSystemUsage;
import io.keelson.image.ImageDetails;
import io.keelson.image.request.RegistryCredentials;
import io.keelson.proto.cri.v1.AuthConfig;
import io.keelson.proto.cri.v1.FilesystemIdentifier;
import io.keelson.proto.cri.v1.FilesystemUsage;
import io.keelson.proto.cri.v1.Image;
import io.keelson.proto.cri.v1.ImageSpec;
import io.keelson.proto.cri.v1.Int64Value;
import io.keelson.proto.cri.v1.UInt64Value;
import io.keelson.sandbox.port.ImageDescription;
import java.time.Instant;
import java.util.StringJoiner;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/** Images in the words of CRI. */
final class ImageMessages {

  private static final Pattern NUMBER = Pattern.compile("[0-9]{1,10}");

  private ImageMessages() {}

  static Image image(ImageDescription image, boolean pinned) {
    Image.Builder message =
        Image.newBuilder()
            .setId(image.id())
            .addAllRepoTags(image.repoTags())
            .addAllRepoDigests(image.repoDigests())
            // A kubelet refuses an image of size 0, which one with no layers would have.
            .setSize(Math.max(1, image.size()))
            .setPinned(pinned)
            .setSpec(ImageSpec.newBuilder().setImage(image.id()));
    String user = image.user().split(":", -1)[0];
    if (NUMBER.matcher(user).matches()) {
      message.setUid(Int64Value.newBuilder().setValue(Long.parseLong(user)));
    } else if (user.isEmpty()) {
      message.setUid(Int64Value.newBuilder().setValue(0));
    } else {
      message.setUsername(user);
    }
    return message.build();
  }

  /**
   * What a verbose status tells, under the names at which scripts around crictl look for it: {@code
   * imageSpec} is the config as it came.
   */
  static String info(ImageDetails details) {
    StringJoiner layers = new StringJoiner(",", "[", "]");
    for (ImageDetails.LayerDetails layer : details.layers()) {
      layers.add(
          "{\"diffID\":\"%s\",\"chainID\":\"%s\",\"bytes\":%d,\"inodes\":%d}"
              .formatted(layer.diffId(), layer.chainId(), layer.bytes(), layer.inodes()));
    }
    return "{\"chainID\":\"%s\",\"layers\":%s,\"%s\":%s}"
        .formatted(
            details.chainId(),
            layers,
            details.artifact() ? "manifest" : "imageSpec",
            details.configJson());
  }

  static FilesystemUsage usage(FileSystemUsage usage) {
    Instant now = Instant.now();
    return FilesystemUsage.newBuilder()
        .setTimestamp(TimeUnit.SECONDS.toNanos(now.getEpochSecond()) + now.getNano())
        .setFsId(FilesystemIdentifier.newBuilder().setMountpoint(usage.mountPoint().toString()))
        .setUsedBytes(UInt64Value.newBuilder().setValue(usage.usedBytes()))
        .setInodesUsed(UInt64Value.newBuilder().setValue(usage.inodesUsed()))
        .build();
  }

  static RegistryCredentials credentials(AuthConfig auth) {
    return new RegistryCredentials(
        auth.getUsername(),
        auth.getPassword(),
        auth.getAuth(),
        auth.getServerAddress(),
        auth.getIdentityToken(),
        auth.getRegistryToken());
  }
}
