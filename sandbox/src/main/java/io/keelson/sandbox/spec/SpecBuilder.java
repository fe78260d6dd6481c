package io.keelson.sandbox.spec;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.keelson.linux.NamespaceType;
import io.keelson.proto.cri.v1.LinuxContainerResources;
import io.keelson.proto.cri.v1.Mount;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The configuration of a container as it grows from isolator to isolator (OCI runtime spec 1.1,
 * {@code config.json}). What was set can be read, so that a later isolator may build on an earlier
 * one. Not safe for use by many threads.
 */
public final class SpecBuilder {

  // process
  final List<String> args = new ArrayList<>();
  final Map<String, String> env = new LinkedHashMap<>();
  String cwd = "/";
  boolean terminal;
  SpecUser user = SpecUser.ROOT;
  SpecCapabilities capabilities = SpecCapabilities.NONE;
  boolean noNewPrivileges;
  @Nullable Integer oomScoreAdj;
  @Nullable String apparmorProfile;
  @Nullable String selinuxLabel;
  final Map<String, SpecRlimit> rlimits = new TreeMap<>();

  // the container
  @Nullable Path root;
  boolean readonlyRoot;
  @Nullable String hostname;
  final List<SpecMount> mounts = new ArrayList<>();
  final Map<String, String> annotations = new TreeMap<>();
  final Map<SpecHook.Stage, List<SpecHook>> hooks = new EnumMap<>(SpecHook.Stage.class);

  // linux
  final Map<NamespaceType, Optional<Path>> namespaces = new EnumMap<>(NamespaceType.class);
  final List<SpecIdMapping> uidMappings = new ArrayList<>();
  final List<SpecIdMapping> gidMappings = new ArrayList<>();
  @Nullable String cgroupsPath;
  @Nullable String rootfsPropagation;
  @Nullable String mountLabel;
  final List<String> maskedPaths = new ArrayList<>();
  final List<String> readonlyPaths = new ArrayList<>();
  final Map<String, SpecDevice> devices = new LinkedHashMap<>();
  final Map<String, String> sysctls = new TreeMap<>();
  final SpecResources limits = new SpecResources();
  @Nullable String seccomp;

  // for the status, not part of the spec
  private List<Mount> reportedMounts = List.of();
  private @Nullable LinuxContainerResources reportedResources;

  private final List<Consumer<ObjectNode>> patches = new ArrayList<>();

  /** The whole of config.json, UTF-8. */
  public byte[] toJson() {
    byte[] json = SpecWriter.spec(this);
    return patches.isEmpty() ? json : StoredSpec.edit(json, patches);
  }

  /** The {@code process} object alone, as an OCI runtime's exec takes it. */
  public byte[] process() {
    return SpecWriter.process(this);
  }

  /** The {@code linux.resources} object alone, as an OCI runtime's update takes it. */
  public byte[] resources() {
    return SpecWriter.resources(limits);
  }

  // process

  /** Replaces the command line. */
  public SpecBuilder args(Collection<String> commandLine) {
    List<String> copy = List.copyOf(commandLine);
    args.clear();
    args.addAll(copy);
    return this;
  }

  public List<String> args() {
    return List.copyOf(args);
  }

  /** Sets a variable; one that is there keeps its place. */
  public SpecBuilder env(String name, String value) {
    env.put(name, value);
    return this;
  }

  public SpecBuilder envIfAbsent(String name, String value) {
    env.putIfAbsent(name, value);
    return this;
  }

  /** The environment in its order. */
  public Map<String, String> env() {
    return new LinkedHashMap<>(env);
  }

  /** The working directory, absolute. */
  public SpecBuilder cwd(String directory) {
    cwd = directory;
    return this;
  }

  public String cwd() {
    return cwd;
  }

  public SpecBuilder terminal(boolean wanted) {
    terminal = wanted;
    return this;
  }

  public SpecBuilder user(SpecUser runAs) {
    user = runAs;
    return this;
  }

  public SpecUser user() {
    return user;
  }

  public SpecBuilder capabilities(SpecCapabilities sets) {
    capabilities = sets;
    return this;
  }

  public SpecCapabilities capabilities() {
    return capabilities;
  }

  public SpecBuilder noNewPrivileges(boolean wanted) {
    noNewPrivileges = wanted;
    return this;
  }

  /** -1000 to 1000. */
  public SpecBuilder oomScoreAdj(int score) {
    oomScoreAdj = score;
    return this;
  }

  public SpecBuilder apparmorProfile(@Nullable String profile) {
    apparmorProfile = profile;
    return this;
  }

  public SpecBuilder selinuxLabel(@Nullable String processLabel, @Nullable String filesLabel) {
    selinuxLabel = processLabel;
    mountLabel = filesLabel;
    return this;
  }

  /** The SELinux label of the container's files. */
  public Optional<String> mountLabel() {
    return Optional.ofNullable(mountLabel);
  }

  /** Sets a limit; a second one of the same type replaces the first. */
  public SpecBuilder rlimit(SpecRlimit limit) {
    rlimits.put(limit.type(), limit);
    return this;
  }

  // the container

  public SpecBuilder root(Path path, boolean readonly) {
    root = path;
    readonlyRoot = readonly;
    return this;
  }

  public SpecBuilder hostname(@Nullable String name) {
    hostname = name;
    return this;
  }

  /** Adds a mount behind all others; the runtime mounts them in this order. */
  public SpecBuilder mount(SpecMount mount) {
    mounts.add(mount);
    return this;
  }

  /** Replaces all mounts. */
  public SpecBuilder mounts(List<SpecMount> all) {
    List<SpecMount> copy = List.copyOf(all);
    mounts.clear();
    mounts.addAll(copy);
    return this;
  }

  public List<SpecMount> mounts() {
    return List.copyOf(mounts);
  }

  public SpecBuilder annotation(String key, String value) {
    annotations.put(key, value);
    return this;
  }

  public Map<String, String> annotations() {
    return Map.copyOf(annotations);
  }

  public SpecBuilder hook(SpecHook.Stage stage, SpecHook hook) {
    hooks.computeIfAbsent(stage, _ -> new ArrayList<>()).add(hook);
    return this;
  }

  // linux

  /** A new namespace of the container's own. */
  public SpecBuilder newNamespace(NamespaceType type) {
    namespaces.put(type, Optional.empty());
    return this;
  }

  /** The container joins the namespace at this path. */
  public SpecBuilder joinNamespace(NamespaceType type, Path path) {
    namespaces.put(type, Optional.of(path));
    return this;
  }

  /** The container stays in the host's namespace. */
  public SpecBuilder hostNamespace(NamespaceType type) {
    namespaces.remove(type);
    return this;
  }

  /** What the OCI runtime spec calls namespaces of a type. */
  public static String nameOf(NamespaceType type) {
    return SpecWriter.namespaceName(type);
  }

  /** Empty value: a new one; no entry: the host's. */
  public Map<NamespaceType, Optional<Path>> namespaces() {
    return Map.copyOf(namespaces);
  }

  public SpecBuilder idMappings(List<SpecIdMapping> uids, List<SpecIdMapping> gids) {
    uidMappings.clear();
    uidMappings.addAll(uids);
    gidMappings.clear();
    gidMappings.addAll(gids);
    return this;
  }

  /** A path below each hierarchy, or {@code slice:prefix:name} with the systemd driver. */
  public SpecBuilder cgroupsPath(String path) {
    cgroupsPath = path;
    return this;
  }

  public @Nullable String cgroupsPath() {
    return cgroupsPath;
  }

  /** {@code rprivate}, {@code rslave} or {@code rshared}. */
  public SpecBuilder rootfsPropagation(String propagation) {
    rootfsPropagation = propagation;
    return this;
  }

  public @Nullable String rootfsPropagation() {
    return rootfsPropagation;
  }

  public SpecBuilder maskedPaths(Collection<String> paths) {
    maskedPaths.clear();
    maskedPaths.addAll(paths);
    return this;
  }

  public SpecBuilder readonlyPaths(Collection<String> paths) {
    readonlyPaths.clear();
    readonlyPaths.addAll(paths);
    return this;
  }

  /** Adds a device node; one at the same path is replaced. Access is a rule of {@link #limits}. */
  public SpecBuilder device(SpecDevice device) {
    devices.put(device.path(), device);
    return this;
  }

  public Collection<SpecDevice> devices() {
    return List.copyOf(devices.values());
  }

  public SpecBuilder sysctl(String key, String value) {
    sysctls.put(key, value);
    return this;
  }

  /** The limits, to be changed in place. */
  public SpecResources limits() {
    return limits;
  }

  /** The {@code linux.seccomp} object as JSON; null for none. */
  public SpecBuilder seccomp(@Nullable String json) {
    seccomp = json;
    return this;
  }

  /**
   * The mounts that the caller asked for, with their sources as resolved: what the status shows.
   */
  public SpecBuilder reportedMounts(List<Mount> asResolved) {
    reportedMounts = List.copyOf(asResolved);
    return this;
  }

  public List<Mount> reportedMounts() {
    return reportedMounts;
  }

  /** The resources that the status shows, where they are not those that the caller asked for. */
  public SpecBuilder reportedResources(LinuxContainerResources inForce) {
    reportedResources = inForce;
    return this;
  }

  public Optional<LinuxContainerResources> reportedResources() {
    return Optional.ofNullable(reportedResources);
  }

  /**
   * Changes config.json itself, after all else has been written into it: for who has a say in more
   * of it than this class has words for.
   */
  public SpecBuilder patch(Consumer<ObjectNode> change) {
    patches.add(change);
    return this;
  }
}
