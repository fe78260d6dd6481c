package io.keelson.sandbox.stats;

import io.keelson.proto.cri.v1.Metric;
import io.keelson.proto.cri.v1.MetricDescriptor;
import io.keelson.proto.cri.v1.MetricType;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;

/**
 * A metric by its name, and how its values are told from figures. CRI's values are whole numbers,
 * so seconds come without their fraction.
 *
 * @param <F> the figures
 */
record MetricFamily<F>(MetricDescriptor descriptor, MetricType type, Values<F> values) {

  /** The labels of every metric. */
  private static final List<String> BASE = List.of("container", "id", "image", "namespace", "pod");

  /** Gives the values of a metric to a receiver. */
  @FunctionalInterface
  interface Values<F> {
    void tell(F figures, Receiver receiver);
  }

  /** Takes a value, with the values of the metric's own labels. */
  @FunctionalInterface
  interface Receiver {
    void value(long value, String... labels);
  }

  /** A metric that only grows, with one value. */
  static <F> MetricFamily<F> counter(String name, String help, ToLongFunction<F> value) {
    return labelled(name, help, MetricType.COUNTER, List.of(), one(value));
  }

  /** A metric that goes up and down, with one value. */
  static <F> MetricFamily<F> gauge(String name, String help, ToLongFunction<F> value) {
    return labelled(name, help, MetricType.GAUGE, List.of(), one(value));
  }

  private static <F> Values<F> one(ToLongFunction<F> value) {
    return (figures, receiver) -> receiver.value(value.applyAsLong(figures));
  }

  /** A metric that only grows, with labels of its own or without a value at times. */
  static <F> MetricFamily<F> counters(
      String name, String help, List<String> labels, Values<F> values) {
    return labelled(name, help, MetricType.COUNTER, labels, values);
  }

  /** As {@link #counters}, for one that goes up and down. */
  static <F> MetricFamily<F> gauges(
      String name, String help, List<String> labels, Values<F> values) {
    return labelled(name, help, MetricType.GAUGE, labels, values);
  }

  private static <F> MetricFamily<F> labelled(
      String name, String help, MetricType type, List<String> labels, Values<F> values) {
    return new MetricFamily<>(
        MetricDescriptor.newBuilder()
            .setName(name)
            .setHelp(help)
            .addAllLabelKeys(BASE)
            .addAllLabelKeys(labels)
            .build(),
        type,
        values);
  }

  /**
   * The metric's values for these figures.
   *
   * @param base the values of the labels that all metrics have, in their order
   */
  void addTo(List<Metric> metrics, F figures, List<String> base, long time) {
    values.tell(
        figures,
        (value, labels) -> {
          List<String> all = base;
          if (labels.length > 0) {
            all = new ArrayList<>(base);
            all.addAll(List.of(labels));
          }
          metrics.add(
              Metric.newBuilder()
                  .setName(descriptor.getName())
                  .setTimestamp(time)
                  .setMetricType(type)
                  .addAllLabelValues(all)
                  .setValue(StatsMessages.value(value))
                  .build());
        });
  }

  static long seconds(long nanos) {
    return TimeUnit.NANOSECONDS.toSeconds(nanos);
  }
}
