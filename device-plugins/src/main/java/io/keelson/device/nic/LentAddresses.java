package io.keelson.device.nic;

import io.keelson.linux.netlink.AddressSettings;
import io.keelson.linux.netlink.IpPrefix;
import io.keelson.linux.netlink.IpText;
import io.keelson.linux.netlink.LinkAddress;
import io.keelson.linux.netlink.RouteRequest;
import io.keelson.proto.record.v1.LentAddress;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** The addresses of a link of the host as they are recorded. */
final class LentAddresses {

  private LentAddresses() {}

  /**
   * @param linkName the usual label, which follows the name
   */
  static LentAddress record(LinkAddress address, String linkName, Instant now) {
    AddressSettings settings = address.settings();
    LentAddress.Builder record =
        LentAddress.newBuilder()
            .setAddress(address.address().toString())
            .setPeer(settings.peer().map(IpText::of).orElse(""))
            .setBroadcast(settings.broadcast().map(IpText::of).orElse(""))
            .setLabel(settings.label().equals(linkName) ? "" : settings.label())
            .setScope(settings.scope())
            .setFlags(settings.flags())
            .setMetric(settings.metric());
    if (settings.preferredSeconds() != AddressSettings.FOREVER) {
      record.setPreferredUntil(now.getEpochSecond() + settings.preferredSeconds());
    }
    if (settings.validSeconds() != AddressSettings.FOREVER) {
      record.setValidUntil(now.getEpochSecond() + settings.validSeconds());
    }
    return record.build();
  }

  /**
   * Gives it back.
   *
   * @param link index of the link
   * @return empty if its time has run out meanwhile
   */
  static Optional<RouteRequest> restored(LentAddress record, int link, Instant now) {
    long valid =
        record.hasValidUntil() ? left(record.getValidUntil(), now) : AddressSettings.FOREVER;
    if (valid == 0) {
      return Optional.empty();
    }
    long preferred =
        record.hasPreferredUntil()
            ? left(record.getPreferredUntil(), now)
            : AddressSettings.FOREVER;
    AddressSettings settings =
        new AddressSettings(
            literal(record.getPeer()),
            literal(record.getBroadcast()),
            record.getLabel(),
            record.getScope(),
            record.getFlags(),
            record.getMetric(),
            preferred,
            valid);
    return Optional.of(
        RouteRequest.addAddress(link, IpPrefix.parse(record.getAddress()), settings));
  }

  private static long left(long until, Instant now) {
    return Math.max(0, Duration.between(now, Instant.ofEpochSecond(until)).toSeconds());
  }

  /** Empty text stands for none. */
  static Optional<InetAddress> literal(String text) {
    return text.isEmpty() ? Optional.empty() : Optional.of(InetAddress.ofLiteral(text));
  }
}
