package io.keelson.csi.pod;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import io.keelson.proto.node.v1.VolumeSource;
import io.keelson.sandbox.error.InvalidRequestException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** The annotations by which a pod asks for volumes and a container for mounts of them. */
public final class VolumeAnnotations {

  /** On a pod: the JSON form of {@code keelson.node.v1.VolumeSource}. */
  public static final String VOLUMES = "volumes.keelson.io/";

  /** On a container: where the volume of this name is to be, {@code /path[:ro|:rw]}. */
  public static final String MOUNTS = "mounts.keelson.io/";

  private static final Pattern NAME = Pattern.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");

  private VolumeAnnotations() {}

  /**
   * A mount that a container asks for.
   *
   * @param volume the volume's name
   * @param path absolute, in the container
   */
  record MountWish(String volume, String path, boolean readOnly) {}

  /** The volumes of a pod by their names; empty, at no cost, if it asks for none. */
  static Map<String, VolumeSource> volumes(Map<String, String> annotations) {
    Map<String, VolumeSource> volumes = null;
    for (Map.Entry<String, String> annotation : annotations.entrySet()) {
      if (annotation.getKey().startsWith(VOLUMES)) {
        volumes = volumes == null ? new TreeMap<>() : volumes;
        volumes.put(name(annotation.getKey(), VOLUMES), source(annotation));
      }
    }
    return volumes == null ? Map.of() : Collections.unmodifiableMap(volumes);
  }

  /** The mounts of a container, by volume. */
  static List<MountWish> mounts(Map<String, String> annotations) {
    List<MountWish> mounts = new ArrayList<>();
    for (Map.Entry<String, String> annotation : annotations.entrySet()) {
      if (annotation.getKey().startsWith(MOUNTS)) {
        mounts.add(mount(name(annotation.getKey(), MOUNTS), annotation));
      }
    }
    // A mount below another one comes after it.
    mounts.sort((a, b) -> depth(a) - depth(b));
    return mounts;
  }

  private static int depth(MountWish mount) {
    return Path.of(mount.path()).getNameCount();
  }

  private static String name(String key, String prefix) {
    String name = key.substring(prefix.length());
    if (!NAME.matcher(name).matches()) {
      throw new InvalidRequestException(
          "annotation " + key + ": \"" + name + "\" is no name of a volume (a-z, 0-9, -)");
    }
    return name;
  }

  private static VolumeSource source(Map.Entry<String, String> annotation) {
    VolumeSource.Builder source = VolumeSource.newBuilder();
    try {
      JsonFormat.parser().merge(annotation.getValue(), source);
    } catch (InvalidProtocolBufferException e) {
      throw new InvalidRequestException(
          "annotation " + annotation.getKey() + " is no volume: " + e.getMessage(), e);
    }
    return source.build();
  }

  private static MountWish mount(String volume, Map.Entry<String, String> annotation) {
    String value = annotation.getValue();
    boolean readOnly = value.endsWith(":ro");
    String path =
        readOnly || value.endsWith(":rw") ? value.substring(0, value.length() - 3) : value;
    if (!path.startsWith("/") || path.indexOf('\0') >= 0) {
      throw new InvalidRequestException(
          "annotation " + annotation.getKey() + ": \"" + value + "\" is not /path[:ro]");
    }
    String normal = Path.of(path).normalize().toString();
    if (normal.equals("/")) {
      throw new InvalidRequestException(
          "annotation " + annotation.getKey() + ": a volume can't be the root");
    }
    return new MountWish(volume, normal, readOnly);
  }
}
