package io.keelson.device.plugin;

import java.util.List;
import java.util.stream.IntStream;

/**
 * Ids of a device that several may hold at once: {@code ID::0}, {@code ID::1}, one for each holder.
 */
public final class SharedIds {

  private static final String SHARE = "::";

  private SharedIds() {}

  /**
   * The ids under which a device is given away: its own if it has one holder at a time.
   *
   * @param shares how many holders it may have, at least 1
   */
  public static List<String> of(String device, int shares) {
    return shares == 1
        ? List.of(device)
        : IntStream.range(0, shares).mapToObj(share -> device + SHARE + share).toList();
  }

  /** The device that an id means. */
  public static String device(String id, int shares) {
    int share = id.lastIndexOf(SHARE);
    return shares > 1 && share > 0 ? id.substring(0, share) : id;
  }
}
