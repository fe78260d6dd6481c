package io.keelson.runtime.cli;

import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** Figures as people read them. */
final class Units {

  /** As long as crictl shows ids, and long enough to be unique on any node. */
  private static final int SHORT_ID = 13;

  private static final String[] SIZES = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

  private Units() {}

  /** The beginning of an id, without the algorithm of a digest. */
  static String shortId(String id) {
    String hex = id.substring(id.indexOf(':') + 1);
    return hex.length() <= SHORT_ID ? hex : hex.substring(0, SHORT_ID);
  }

  /** Two figures are enough: {@code 42s}, {@code 5m}, {@code 3h}, {@code 12d}. */
  static String age(Duration age) {
    long seconds = Math.max(0, age.toSeconds());
    if (seconds < 120) {
      return seconds + "s";
    }
    if (seconds < TimeUnit.HOURS.toSeconds(2)) {
      return seconds / 60 + "m";
    }
    if (seconds < TimeUnit.DAYS.toSeconds(2)) {
      return seconds / 3600 + "h";
    }
    return seconds / TimeUnit.DAYS.toSeconds(1) + "d";
  }

  /** The time since an instant in nanoseconds after the epoch, or {@code -} for 0. */
  static String ageOf(long nanos, Instant now) {
    return nanos == 0 ? "-" : age(Duration.between(Instant.ofEpochSecond(0, nanos), now));
  }

  /** {@code 734B}, {@code 4.2MiB}. */
  static String size(long bytes) {
    double value = bytes;
    int unit = 0;
    while (value >= 1024 && unit + 1 < SIZES.length) {
      value /= 1024;
      unit++;
    }
    return unit == 0
        ? bytes + SIZES[0]
        : String.format(Locale.ROOT, value < 100 ? "%.1f%s" : "%.0f%s", value, SIZES[unit]);
  }
}
