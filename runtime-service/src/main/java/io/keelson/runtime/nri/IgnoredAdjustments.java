package io.keelson.runtime.nri;

import io.keelson.proto.nri.v1alpha1.Field;
import io.keelson.proto.nri.v1alpha1.LinuxContainerAdjustment;
import io.keelson.sandbox.launch.RuntimeFeatureProbe;
import io.keelson.sandbox.launch.RuntimeFeatures;
import io.keelson.sandbox.port.RuntimeHandler;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells of adjustments that come to nothing: an OCI runtime passes over what it does not know in a
 * config.json, and a plugin never hears of it. Runtimes are asked only when a plugin wants what not
 * all of them know.
 */
final class IgnoredAdjustments {

  private static final Logger LOG = LoggerFactory.getLogger(IgnoredAdjustments.class);

  private final RuntimeFeatureProbe runtimes;

  IgnoredAdjustments(RuntimeFeatureProbe runtimes) {
    this.runtimes = runtimes;
  }

  /** Logs a warning for each adjustment of this container that the runtime ignores. */
  void tell(
      String container, RuntimeHandler handler, LinuxContainerAdjustment wanted, Owners owners) {
    if (!isAnyWanted(wanted)) {
      return;
    }
    RuntimeFeatures features;
    try {
      features = runtimes.of(handler.binary());
    } catch (IOException e) {
      LOG.atDebug().addKeyValue("runtime", handler.binary()).setCause(e).log("it can't be asked");
      return;
    }
    for (Field field : of(wanted, features)) {
      owners
          .of(container, field)
          .values()
          .forEach(
              plugin ->
                  LOG.atWarn()
                      .addKeyValue("container", container)
                      .addKeyValue("plugin", plugin)
                      .addKeyValue("adjustment", field)
                      .addKeyValue("runtime", handler.binary())
                      .log("the OCI runtime does not know an adjustment of an NRI plugin"));
    }
  }

  private static boolean isAnyWanted(LinuxContainerAdjustment wanted) {
    return wanted.hasScheduler()
        || wanted.hasIoPriority()
        || wanted.hasMemoryPolicy()
        || wanted.getNetDevicesCount() > 0;
  }

  static List<Field> of(LinuxContainerAdjustment wanted, RuntimeFeatures features) {
    List<Field> ignored = new ArrayList<>();
    if (wanted.hasScheduler() && !features.hasSchedulers()) {
      ignored.add(Field.LinuxSched);
    }
    if (wanted.hasIoPriority() && !features.hasSchedulers()) {
      ignored.add(Field.IoPriority);
    }
    if (wanted.hasMemoryPolicy()
        && !features.hasMemoryPolicy(wanted.getMemoryPolicy().getMode().name())) {
      ignored.add(Field.MemoryPolicy);
    }
    if (wanted.getNetDevicesCount() > 0 && !features.hasNetDevices()) {
      ignored.add(Field.LinuxNetDevices);
    }
    return ignored;
  }
}
