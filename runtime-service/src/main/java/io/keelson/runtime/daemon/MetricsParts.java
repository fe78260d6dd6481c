package io.keelson.runtime.daemon;

import io.keelson.csi.NodeVolumes;
import io.keelson.csi.driver.CallMetrics;
import io.keelson.device.NodeDevices;
import io.keelson.image.Images;
import io.keelson.linux.KernelThreads;
import io.keelson.runtime.ProductVersion;
import io.keelson.runtime.collector.GrpcTraceSink;
import io.keelson.runtime.collector.HttpTraceSink;
import io.keelson.runtime.config.Configuration;
import io.keelson.runtime.config.TraceProtocol;
import io.keelson.runtime.metrics.AdapterMetrics;
import io.keelson.runtime.metrics.MetricsServer;
import io.keelson.runtime.metrics.Operations;
import io.keelson.runtime.metrics.ServerMetrics;
import io.keelson.runtime.metrics.TraceExporter;
import io.keelson.runtime.metrics.TraceSink;
import io.keelson.runtime.nri.PluginMeter;
import io.keelson.runtime.server.CallObserver;
import io.keelson.sandbox.FaultPoints;
import io.keelson.sandbox.NodeRuntime;
import io.prometheus.client.CollectorRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.util.Map;
import java.util.Optional;

/**
 * Puts the daemon's own metrics and traces together; where neither is configured nothing is
 * measured.
 */
final class MetricsParts {

  private static final String UNIX = "unix:";

  private final Optional<SocketAddress> address;
  private final CollectorRegistry registry = new CollectorRegistry();
  private final Optional<TraceExporter> traces;
  private final Operations operations;
  private final Optional<AdapterMetrics> adapters;

  /**
   * @param faults hear of stages too
   */
  MetricsParts(Configuration configuration, FaultPoints faults, Shutdown shutdown) {
    this.address = address(configuration.metrics().address());
    this.traces =
        configuration
            .tracing()
            .endpoint()
            .map(
                endpoint ->
                    shutdown.add(
                        "the traces",
                        new TraceExporter(
                            sink(configuration.tracing().protocol(), endpoint),
                            ProductVersion.current())));
    this.operations = new Operations(faults, traces);
    this.adapters = address.map(_ -> new AdapterMetrics(registry));
  }

  private static TraceSink sink(TraceProtocol protocol, URI endpoint) {
    return switch (protocol) {
      case HTTP -> new HttpTraceSink(endpoint, TraceSink.TIMEOUT);
      case GRPC -> new GrpcTraceSink(endpoint, TraceSink.TIMEOUT);
    };
  }

  private static Optional<SocketAddress> address(String text) {
    if (text.isEmpty()) {
      return Optional.empty();
    }
    if (text.startsWith(UNIX)) {
      return Optional.of(UnixDomainSocketAddress.of(text.substring(UNIX.length())));
    }
    int colon = text.lastIndexOf(':');
    String host = text.substring(0, colon).replace("[", "").replace("]", "");
    return Optional.of(
        new InetSocketAddress(
            InetAddress.ofLiteral(host), Integer.parseInt(text.substring(colon + 1))));
  }

  private boolean isOn() {
    return address.isPresent() || traces.isPresent();
  }

  /** What the core tells its stages. */
  FaultPoints stages(FaultPoints faults) {
    return isOn() ? operations : faults;
  }

  /** What the server tells its calls. */
  CallObserver calls() {
    if (!isOn()) {
      return CallObserver.NONE;
    }
    ServerMetrics metrics = new ServerMetrics(registry);
    return new CallObserver() {
      @Override
      public void handling(String method, Map<String, String> ids, Optional<String> traceparent) {
        operations.begin(method, ids, traceparent);
      }

      @Override
      public void handled() {
        operations.end();
      }

      @Override
      public void ended(String method, String code, long nanos) {
        metrics.ended(method, code, nanos);
        operations.outcome(code);
      }
    };
  }

  /** What CSI drivers are asked. */
  CallMetrics driverCalls() {
    return adapters.<CallMetrics>map(metrics -> metrics::driverCalled).orElse(CallMetrics.NONE);
  }

  /** What NRI plugins are asked. */
  PluginMeter pluginCalls() {
    return adapters.<PluginMeter>map(metrics -> metrics::pluginCalled).orElse(PluginMeter.NONE);
  }

  /** Has the parts that count by themselves told of too. */
  void tellOf(Images images, NodeDevices devices, NodeVolumes volumes) {
    adapters.ifPresent(
        metrics -> {
          images.metrics().register(registry);
          metrics.tellOf(devices, volumes);
        });
  }

  /** Serves them from now on. */
  void serve(NodeRuntime runtime, NodeVolumes volumes, KernelThreads threads, Shutdown shutdown)
      throws IOException {
    if (address.isPresent()) {
      shutdown.add(
          "the metrics",
          MetricsServer.start(
              address.get(),
              registry,
              runtime,
              operations,
              Map.of("kernel threads", threads::waiting),
              volumes::troubles));
    }
  }
}
