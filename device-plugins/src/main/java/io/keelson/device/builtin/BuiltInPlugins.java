package io.keelson.device.builtin;

import io.keelson.device.nic.NicDefinition;
import io.keelson.device.plugin.PluginRegistry;
import io.keelson.linux.netlink.IpPrefix;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.tomlj.Toml;
import org.tomlj.TomlArray;
import org.tomlj.TomlParseResult;
import org.tomlj.TomlTable;

/**
 * The built-in plugins that the administrator's files define: {@code *.toml} in one folder, each
 * with any number of {@code [[unix]]}, {@code [[gpu]]}, {@code [[usb]]} and {@code [[nic]]} tables.
 */
public final class BuiltInPlugins {

  private static final int MOST_SHARES = 1000;
  private static final int MOST_FUNCTIONS = 1000;
  private static final List<String> NIC_KINDS = List.of("physical", "macvlan", "ipvlan", "sriov");

  private final Map<String, ScannedPlugin> scanned = new LinkedHashMap<>();
  private final List<NicDefinition> nics = new ArrayList<>();
  private final Map<String, ScannedPlugin> gpus = new LinkedHashMap<>();
  private final List<ScannedPlugin> usb = new ArrayList<>();
  private final Duration interval;
  private final NodeListener nodeListener;

  private BuiltInPlugins(Duration interval, NodeListener nodeListener) {
    this.interval = interval;
    this.nodeListener = nodeListener;
  }

  /**
   * Reads the files; none of the plugins runs yet.
   *
   * @param interval between two looks at the host: GPUs and nodes seldom come and go; USB devices
   *     do, and then the kernel tells
   * @throws IOException that names the file and what is wrong in it
   */
  public static BuiltInPlugins read(Path folder, Duration interval, NodeListener nodeListener)
      throws IOException {
    BuiltInPlugins plugins = new BuiltInPlugins(interval, nodeListener);
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder, "*.toml")) {
      entries.forEach(files::add);
    } catch (NoSuchFileException e) {
      return plugins;
    }
    files.sort(null);
    for (Path file : files) {
      plugins.readFile(file);
    }
    return plugins;
  }

  private void readFile(Path file) throws IOException {
    TomlParseResult toml = Toml.parse(file);
    if (toml.hasErrors()) {
      throw new IOException(file + ": " + toml.errors().getFirst().toString());
    }
    for (String kind : toml.keySet()) {
      List<?> tables = toml.get(kind) instanceof TomlArray array ? array.toList() : List.of();
      if (tables.isEmpty() || !tables.stream().allMatch(TomlTable.class::isInstance)) {
        throw new IOException(
            "%s: %s is no list of tables: write [[%s]]".formatted(file, kind, kind));
      }
      for (Object table : tables) {
        define(kind, new Definition(file, kind, (TomlTable) table));
      }
    }
  }

  private void define(String kind, Definition definition) throws IOException {
    try {
      switch (kind) {
        case "unix" -> unix(definition);
        case "gpu" -> gpu(definition);
        case "usb" -> usb(definition);
        case "nic" -> nic(definition);
        default -> throw definition.wrong("there are unix, gpu, usb and nic");
      }
    } catch (IllegalArgumentException e) {
      throw definition.wrong(String.valueOf(e.getMessage()));
    }
  }

  private void unix(Definition definition) throws IOException {
    definition.allowOnly(
        Set.of(
            "resource",
            "paths",
            "numbers",
            "container_path",
            "permissions",
            "owner",
            "mode",
            "required",
            "root",
            "shares"));
    String resource = definition.resource();
    UnixScan scan =
        new UnixScan(
            definition.host(),
            definition.texts("paths"),
            definition.texts("numbers"),
            definition.text("container_path", ""),
            definition.permissions(),
            definition.text("owner", ""),
            definition.text("mode", ""),
            definition.flag("required", true));
    if (scan.paths().isEmpty() && scan.numbers().isEmpty()) {
      throw definition.wrong("neither paths nor numbers say which devices");
    }
    add(definition, resource, scan);
  }

  private void gpu(Definition definition) throws IOException {
    definition.allowOnly(Set.of("vendors", "root", "shares"));
    List<String> vendors =
        definition.has("vendors") ? definition.texts("vendors") : GpuPlugins.VENDORS;
    for (var scan : GpuPlugins.of(definition.host(), vendors).entrySet()) {
      String vendor = scan.getKey().replaceFirst("^gpu[.]", "").replaceFirst("[.].*", "");
      gpus.put(vendor, add(definition, scan.getKey(), scan.getValue()));
    }
  }

  private void usb(Definition definition) throws IOException {
    definition.allowOnly(
        Set.of("resource", "vendor", "product", "serial", "bus", "port", "root", "shares"));
    UsbScan scan =
        new UsbScan(
            definition.host(),
            definition.text("vendor", ""),
            definition.text("product", ""),
            definition.text("serial", ""),
            definition.text("bus", ""),
            definition.text("port", ""));
    usb.add(add(definition, definition.resource(), scan));
  }

  private void nic(Definition definition) throws IOException {
    definition.allowOnly(
        Set.of(
            "resource", "kind", "parents", "shares", "count", "name", "mtu", "addresses", "root"));
    String resource = definition.resource();
    String kind = definition.text("kind", "physical");
    List<String> parents = definition.texts("parents");
    if (!NIC_KINDS.contains(kind)) {
      throw definition.wrong("kind must be one of " + NIC_KINDS);
    }
    if (parents.isEmpty()) {
      throw definition.wrong("parents must name the interfaces of the host");
    }
    if (definition.has("shares") && !kind.endsWith("vlan")) {
      throw definition.wrong(
          "an interface is in one pod at a time: shares is for the kinds macvlan and ipvlan");
    }
    if (definition.has("count") && !kind.equals("sriov")) {
      throw definition.wrong("count is of the virtual functions of the kind sriov");
    }
    List<IpPrefix> addresses = new ArrayList<>();
    for (String address : definition.texts("addresses")) {
      addresses.add(IpPrefix.parse(address));
    }
    boolean known =
        scanned.containsKey(resource)
            || nics.stream().anyMatch(nic -> nic.resource().equals(resource));
    if (known) {
      throw definition.wrong("resource %s is defined twice".formatted(resource));
    }
    nics.add(
        new NicDefinition(
            resource,
            NicDefinition.Kind.valueOf(kind.toUpperCase(Locale.ROOT)),
            parents,
            definition.number("shares", 1, 1, MOST_SHARES),
            definition.number("count", 0, 0, MOST_FUNCTIONS),
            definition.text("name", "net%d"),
            definition.number("mtu", 0, 0, 65_535),
            addresses,
            definition.host().root()));
  }

  /** The interfaces to be lent, which {@link io.keelson.device.nic.Nics} offers. */
  public List<NicDefinition> nics() {
    return List.copyOf(nics);
  }

  private ScannedPlugin add(Definition definition, String resource, DeviceScan scan)
      throws IOException {
    int shares = definition.number("shares", 1, 1, MOST_SHARES);
    ScannedPlugin plugin = new ScannedPlugin(resource, scan, shares, interval, nodeListener);
    if (scanned.put(resource, plugin) != null) {
      throw definition.wrong("resource %s is defined twice".formatted(resource));
    }
    return plugin;
  }

  /** Offers all of them. */
  public void start(PluginRegistry registry) throws IOException {
    for (var plugin : scanned.entrySet()) {
      registry.add(plugin.getKey(), plugin.getValue());
    }
  }

  /**
   * Writes CDI specs of the GPUs.
   *
   * @return the files
   */
  public List<Path> writeCdiSpecs(Path folder) throws IOException {
    List<Path> written = new ArrayList<>();
    for (Map.Entry<String, ScannedPlugin> gpu : gpus.entrySet()) {
      CdiSpecs.write(folder, "gpu.keelson.io/" + gpu.getKey(), gpu.getValue())
          .ifPresent(written::add);
    }
    return written;
  }

  /** Whether any of them wants to hear when USB devices come and go. */
  public boolean hasUsb() {
    return !usb.isEmpty();
  }

  /** A USB device has come or gone: looks at the host at once. */
  public void usbChanged() {
    usb.forEach(ScannedPlugin::trigger);
  }
}
