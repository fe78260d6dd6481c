package io.keelson.runtime.metrics;

import io.keelson.csi.NodeVolumes;
import io.keelson.csi.quota.DiskUse;
import io.keelson.device.Inventory;
import io.keelson.device.NodeDevices;
import io.keelson.proto.drahealth.v1.HealthStatus;
import io.keelson.runtime.nri.PluginMeter;
import io.prometheus.client.Collector;
import io.prometheus.client.CollectorRegistry;
import io.prometheus.client.Counter;
import io.prometheus.client.CounterMetricFamily;
import io.prometheus.client.GaugeMetricFamily;
import io.prometheus.client.Histogram;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;

/**
 * What is asked of those who have a part in pods without being of the daemon: CSI drivers, NRI
 * plugins, device plugins. Safe for use by many threads.
 */
public final class AdapterMetrics {

  private static final double NANOS = TimeUnit.SECONDS.toNanos(1);

  private final Counter driverCalls;
  private final Histogram driverSeconds;
  private final Counter pluginCalls;
  private final Histogram pluginSeconds;
  private final CollectorRegistry registry;

  /** Registers the metrics. */
  public AdapterMetrics(CollectorRegistry registry) {
    this.registry = registry;
    driverCalls =
        Counter.build("keelson_csi_calls_total", "Tries of calls to CSI drivers by status code.")
            .labelNames("driver", "method", "code")
            .register(registry);
    driverSeconds =
        Histogram.build("keelson_csi_call_seconds", "How long CSI drivers take.")
            .labelNames("driver", "method")
            .register(registry);
    pluginCalls =
        Counter.build("keelson_nri_calls_total", "Calls to NRI plugins by how they ended.")
            .labelNames("plugin", "call", "outcome")
            .register(registry);
    pluginSeconds =
        Histogram.build("keelson_nri_call_seconds", "How long NRI plugins take.")
            .labelNames("plugin", "call")
            .register(registry);
  }

  /** A try of a call to a CSI driver has ended. */
  public void driverCalled(String driver, String method, String code, Duration time) {
    driverCalls.labels(driver, method, code).inc();
    driverSeconds.labels(driver, method).observe(time.toNanos() / NANOS);
  }

  /** A call to an NRI plugin has ended. */
  public void pluginCalled(String plugin, String call, Duration time, PluginMeter.Outcome outcome) {
    pluginCalls.labels(plugin, call, outcome.name().toLowerCase(Locale.ROOT)).inc();
    pluginSeconds.labels(plugin, call).observe(time.toNanos() / NANOS);
  }

  /** Has the state of devices and volumes told when somebody asks. */
  public void tellOf(NodeDevices devices, NodeVolumes volumes) {
    registry.register(
        new Collector() {
          @Override
          public List<MetricFamilySamples> collect() {
            NodeDevices.Counts counts = devices.counts();
            Map<String, DiskUse> disk = volumes.diskUse();
            return List.of(
                counter(
                    "keelson_device_allocations",
                    "Allocations of devices by resource.",
                    "resource",
                    counts.allocations()),
                counter(
                    "keelson_device_allocation_failures",
                    "Allocations of devices that failed, by cause.",
                    "cause",
                    counts.failures()),
                counter(
                    "keelson_device_plugin_restarts",
                    "Device plugins that registered again, by resource.",
                    "resource",
                    counts.pluginRestarts()),
                devices(devices.inventory()),
                health(devices.draHealth()),
                volumes(
                    "keelson_volumes",
                    "Volumes by state.",
                    "state",
                    volumes.volumes().countByState()),
                volumes(
                    "keelson_volumes_abnormal",
                    "Volumes whose driver says that they are not well, by where it sees that.",
                    "level",
                    volumes.health().countByLevel()),
                disk(
                    disk,
                    "keelson_disk_used_bytes",
                    "What containers and volumes with a limit have on disk.",
                    use -> (double) use.usedBytes()),
                disk(
                    disk,
                    "keelson_disk_limit_bytes",
                    "What they may have on disk.",
                    use -> (double) use.limitBytes()));
          }
        });
  }

  private static CounterMetricFamily counter(
      String name, String help, String label, Map<String, Long> counts) {
    CounterMetricFamily family = new CounterMetricFamily(name, help, List.of(label));
    counts.forEach((value, count) -> family.addMetric(List.of(value), count));
    return family;
  }

  private static GaugeMetricFamily devices(List<Inventory> inventory) {
    GaugeMetricFamily family =
        new GaugeMetricFamily(
            "keelson_devices", "Devices by resource and state.", List.of("resource", "state"));
    for (Inventory resource : inventory) {
      for (Inventory.State state : Inventory.State.values()) {
        family.addMetric(
            List.of(resource.name(), state.name().toLowerCase(Locale.ROOT)), resource.count(state));
      }
    }
    return family;
  }

  private static GaugeMetricFamily health(Map<String, Map<HealthStatus, Integer>> drivers) {
    GaugeMetricFamily family =
        new GaugeMetricFamily(
            "keelson_dra_devices",
            "Devices whose health a DRA driver tells, by health.",
            List.of("driver", "health"));
    drivers.forEach(
        (driver, counts) ->
            counts.forEach(
                (health, count) ->
                    family.addMetric(
                        List.of(driver, health.name().toLowerCase(Locale.ROOT)), count)));
    return family;
  }

  private static GaugeMetricFamily disk(
      Map<String, DiskUse> uses, String name, String help, ToDoubleFunction<DiskUse> value) {
    GaugeMetricFamily family = new GaugeMetricFamily(name, help, List.of("id"));
    uses.forEach((id, use) -> family.addMetric(List.of(id), value.applyAsDouble(use)));
    return family;
  }

  private static GaugeMetricFamily volumes(
      String name, String help, String label, Map<String, Integer> counts) {
    GaugeMetricFamily family = new GaugeMetricFamily(name, help, List.of(label));
    counts.forEach((value, count) -> family.addMetric(List.of(value), count));
    return family;
  }
}
