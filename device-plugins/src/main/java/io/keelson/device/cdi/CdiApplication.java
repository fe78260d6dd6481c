package io.keelson.device.cdi;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.isolator.DeviceNodes;
import io.keelson.sandbox.spec.SpecBuilder;
import io.keelson.sandbox.spec.SpecDevice;
import io.keelson.sandbox.spec.SpecDeviceRule;
import io.keelson.sandbox.spec.SpecMount;
import io.keelson.sandbox.spec.SpecUser;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/** Writes {@link CdiEdits} into a container's spec. */
public final class CdiApplication {

  private static final String ALL_ACCESS = "rwm";

  private CdiApplication() {}

  /**
   * Applies all edits but {@link CdiEdits#netDevices}: an interface goes to the pod, not to one
   * container of it.
   *
   * @param privileged the container has access to all devices as it is
   */
  public static void apply(CdiEdits edits, SpecBuilder spec, boolean privileged)
      throws IOException {
    for (String variable : edits.env()) {
      int equals = variable.indexOf('=');
      spec.env(variable.substring(0, equals), variable.substring(equals + 1));
    }
    for (CdiEdits.DeviceNode node : edits.deviceNodes()) {
      SpecDevice device = device(node, spec);
      spec.device(device);
      if (!privileged && device.kind() != SpecDevice.Kind.FIFO) {
        String access = node.permissions().isEmpty() ? ALL_ACCESS : node.permissions();
        spec.limits().deviceRule(SpecDeviceRule.allow(device, access));
      }
    }
    for (CdiEdits.Mount mount : edits.mounts()) {
      spec.mount(mount(mount));
    }
    edits.hooks().forEach(hook -> spec.hook(hook.stage(), hook.hook()));
    edits.intelRdt().ifPresent(rdt -> spec.patch(root -> rdt(root, rdt)));
    if (!edits.additionalGids().isEmpty()) {
      SpecUser user = spec.user();
      TreeSet<Long> gids = new TreeSet<>(user.additionalGids());
      edits.additionalGids().stream().filter(gid -> gid != 0).forEach(gids::add);
      spec.user(new SpecUser(user.uid(), user.gid(), List.copyOf(gids)));
    }
  }

  /** What the spec leaves out is as on the host; an owner that nobody names is the container's. */
  private static SpecDevice device(CdiEdits.DeviceNode node, SpecBuilder spec) throws IOException {
    Long major = node.major();
    Long minor = node.minor();
    Path hostPath = Path.of(node.hostPath().isEmpty() ? node.path() : node.hostPath());
    Optional<SpecDevice> host = Optional.empty();
    if (node.type().isEmpty() || (major == null && !node.type().equals("p"))) {
      try {
        host = DeviceNodes.node(hostPath.toRealPath(), node.path());
      } catch (NoSuchFileException e) {
        throw new FailedPreconditionException(
            "CDI device node %s does not exist on the host".formatted(hostPath), e);
      }
      if (host.isEmpty()) {
        throw new FailedPreconditionException("%s is no device node".formatted(hostPath));
      }
    }
    SpecDevice.Kind kind =
        switch (node.type()) {
          case "b" -> SpecDevice.Kind.BLOCK;
          case "c", "u" -> SpecDevice.Kind.CHARACTER;
          case "p" -> SpecDevice.Kind.FIFO;
          case "" -> host.map(SpecDevice::kind).orElseThrow();
          default ->
              throw new FailedPreconditionException(
                  "CDI device node %s has the unknown type %s".formatted(node.path(), node.type()));
        };
    Integer mode = node.fileMode();
    Long uid = node.uid();
    Long gid = node.gid();
    return new SpecDevice(
        node.path(),
        kind,
        major != null ? major : host.map(SpecDevice::major).orElse(0L),
        minor != null ? minor : host.map(SpecDevice::minor).orElse(0L),
        mode != null ? mode & 0777 : host.map(SpecDevice::fileMode).orElse(0666),
        uid != null ? uid : spec.user().uid(),
        gid != null ? gid : spec.user().gid());
  }

  private static SpecMount mount(CdiEdits.Mount mount) {
    boolean bind = mount.type().isEmpty() || mount.type().equals("bind");
    List<String> options =
        mount.options().isEmpty() && bind ? List.of("rbind", "rprivate") : mount.options();
    return new SpecMount(
        mount.containerPath(), bind ? "bind" : mount.type(), mount.hostPath(), options);
  }

  private static void rdt(ObjectNode root, CdiEdits.IntelRdt rdt) {
    ObjectNode node = root.withObjectProperty("linux").putObject("intelRdt");
    putUnlessEmpty(node, "closID", rdt.closId());
    putUnlessEmpty(node, "l3CacheSchema", rdt.l3CacheSchema());
    putUnlessEmpty(node, "memBwSchema", rdt.memBwSchema());
    if (!rdt.schemata().isEmpty()) {
      rdt.schemata().forEach(node.putArray("schemata")::add);
    }
    if (rdt.enableMonitoring()) {
      node.put("enableMonitoring", true);
    }
  }

  private static void putUnlessEmpty(ObjectNode node, String name, String value) {
    if (!value.isEmpty()) {
      node.put(name, value);
    }
  }
}
