package io.keelson.device.builtin;

import io.keelson.device.plugin.DevicePlugin;
import io.keelson.proto.deviceplugin.v1beta1.ContainerAllocateResponse;
import io.keelson.proto.deviceplugin.v1beta1.DeviceSpec;
import io.keelson.sandbox.isolator.DeviceNodes;
import io.keelson.sandbox.spec.SpecDevice;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
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
 * @param numbers of nodes in {@code /dev} and its folders: {@code c 10:200}, {@code b 7:*}
 * @param containerPath where it is in the container; empty for the host's path
 * @param permissions letters of r, w and m
 * @param owner {@code uid:gid} of the nodes in the container; empty for the host's
 * @param mode their permission bits, octal; empty for the host's
 * @param required false: a path that is not there yet is given all the same, and its node comes
 *     into the container when it appears
 */
record UnixScan(
    HostTree host,
    List<String> paths,
    List<String> numbers,
    String containerPath,
    String permissions,
    String owner,
    String mode,
    boolean required)
    implements DeviceScan {

  private static final String DEV = "/dev";
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
      for (String match : pattern ? matches(path) : List.of(path)) {
        Optional<SpecDevice> node = node(match);
        if (node.isPresent()) {
          found.add(device(node.get()));
        } else if (!pattern && !required) {
          found.add(new FoundDevice(id(match), false, List.of(), Map.of(), List.of()));
        }
      }
    }
    if (!numbers.isEmpty()) {
      // What a link leads to is found under its own name, and /dev/stdin leads anywhere.
      List<SpecDevice> nodes = DeviceNodes.below(host.at(DEV), DEV);
      for (String number : numbers) {
        nodes.stream().filter(node -> isMatch(number, node)).map(this::device).forEach(found::add);
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

  private List<String> matches(String pattern) throws IOException {
    int slash = pattern.lastIndexOf('/');
    String folder = pattern.substring(0, slash + 1);
    return host.names(folder, pattern.substring(slash + 1)).stream().map(folder::concat).toList();
  }

  private Optional<SpecDevice> node(String path) throws IOException {
    try {
      return DeviceNodes.node(host.at(path).toRealPath(), path);
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

  private FoundDevice device(SpecDevice node) {
    DeviceSpec spec =
        DeviceSpec.newBuilder()
            .setHostPath(host.at(node.path()).toString())
            .setContainerPath(containerPath.isEmpty() ? node.path() : containerPath)
            .setPermissions(permissions)
            .build();
    return new FoundDevice(
        id(node.path()),
        true,
        List.of(),
        Map.of(
            "path",
            node.path(),
            "number",
            node.kind().letter() + " " + node.major() + ":" + node.minor()),
        List.of(spec));
  }

  private static String id(String path) {
    return path.replaceFirst("^(/dev)?/+", "").replace('/', '-');
  }
}
