package io.keelson.device.builtin;

import io.keelson.device.plugin.DevicePlugin;
import io.keelson.proto.deviceplugin.v1beta1.ContainerAllocateResponse;
import io.keelson.proto.deviceplugin.v1beta1.DeviceSpec;
import io.keelson.sandbox.isolator.DeviceNodes;
import io.keelson.sandbox.spec.SpecDevice;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Character and block devices by path, or by type and number.
 *
 * @param paths absolute; stars in the last part stand for anything: {@code /dev/ttyUSB*}
 * @param numbers of nodes right in {@code /dev}: {@code c 10:200}, {@code b 7:*}
 * @param containerPath where it is in the container; empty for the host's path
 * @param permissions letters of r, w and m
 * @param owner {@code uid:gid} of the nodes in the container; empty for the host's
 * @param mode their permission bits, octal; empty for the host's
 * @param required false: a path that is not there yet is given all the same, and its node comes
 *     into the container when it appears
 */
record UnixScan(
    List<String> paths,
    List<String> numbers,
    String containerPath,
    String permissions,
    String owner,
    String mode,
    boolean required)
    implements DeviceScan {

  private static final Path DEV = Path.of("/dev");
  private static final Pattern NUMBERS = Pattern.compile("([bc]) ([0-9]+|\\*):([0-9]+|\\*)");

  UnixScan {
    paths = List.copyOf(paths);
    numbers = List.copyOf(numbers);
    for (String number : numbers) {
      if (!NUMBERS.matcher(number).matches()) {
        throw new IllegalArgumentException(
            "\"%s\" is not of the form \"c MAJOR:MINOR\"".formatted(number));
      }
    }
    if (!owner.matches("([0-9]{1,10}(:[0-9]{1,10})?)?")) {
      throw new IllegalArgumentException("owner \"%s\" is not uid:gid".formatted(owner));
    }
    if (!mode.matches("(0?[0-7]{3})?")) {
      throw new IllegalArgumentException(
          "mode \"%s\" is not permission bits such as 0660".formatted(mode));
    }
    for (String path : paths) {
      if (!path.startsWith("/")) {
        throw new IllegalArgumentException("path \"%s\" is not absolute".formatted(path));
      }
    }
  }

  @Override
  public boolean isAwaitable() {
    return !required;
  }

  @Override
  public List<FoundDevice> scan() throws IOException {
    List<FoundDevice> found = new ArrayList<>();
    for (String path : paths) {
      boolean pattern = path.contains("*");
      List<Path> matches = pattern ? matches(Path.of(path)) : List.of(Path.of(path));
      for (Path match : matches) {
        Optional<SpecDevice> node = node(match);
        if (node.isPresent()) {
          found.add(device(match, node.get()));
        } else if (!pattern && !required) {
          found.add(new FoundDevice(id(match), false, List.of(), Map.of(), List.of()));
        }
      }
    }
    for (String number : numbers) {
      for (Path entry : list(DEV, "*")) {
        // What a link leads to is found under its own name, and /dev/stdin leads anywhere.
        Optional<SpecDevice> node = Files.isSymbolicLink(entry) ? Optional.empty() : node(entry);
        if (node.isPresent() && isMatch(number, node.get())) {
          found.add(device(entry, node.get()));
        }
      }
    }
    return found;
  }

  @Override
  public void complete(List<FoundDevice> given, ContainerAllocateResponse.Builder answer) {
    if (!owner.isEmpty()) {
      answer.putAnnotations(DevicePlugin.NODE_OWNER, owner);
    }
    if (!mode.isEmpty()) {
      answer.putAnnotations(DevicePlugin.NODE_MODE, mode);
    }
  }

  private static List<Path> matches(Path pattern) throws IOException {
    Path folder = pattern.getParent();
    return folder == null ? List.of() : list(folder, String.valueOf(pattern.getFileName()));
  }

  private static List<Path> list(Path folder, String glob) throws IOException {
    List<Path> entries = new ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder, glob)) {
      stream.forEach(entries::add);
    } catch (NoSuchFileException | NotDirectoryException e) {
      return List.of();
    }
    entries.sort(null);
    return entries;
  }

  private static Optional<SpecDevice> node(Path path) throws IOException {
    try {
      return DeviceNodes.node(path.toRealPath(), path.toString());
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }

  private static boolean isMatch(String number, SpecDevice node) {
    Matcher matcher = NUMBERS.matcher(number);
    return matcher.matches()
        && matcher.group(1).equals(node.kind().letter())
        && (matcher.group(2).equals("*") || matcher.group(2).equals("" + node.major()))
        && (matcher.group(3).equals("*") || matcher.group(3).equals("" + node.minor()));
  }

  private FoundDevice device(Path host, SpecDevice node) {
    DeviceSpec spec =
        DeviceSpec.newBuilder()
            .setHostPath(host.toString())
            .setContainerPath(containerPath.isEmpty() ? host.toString() : containerPath)
            .setPermissions(permissions)
            .build();
    return new FoundDevice(
        id(host),
        true,
        List.of(),
        Map.of(
            "path",
            host.toString(),
            "number",
            node.kind().letter() + " " + node.major() + ":" + node.minor()),
        List.of(spec));
  }

  private static String id(Path path) {
    return (path.startsWith(DEV) ? DEV.relativize(path) : Path.of("/").relativize(path))
        .toString()
        .replace('/', '-');
  }
}
