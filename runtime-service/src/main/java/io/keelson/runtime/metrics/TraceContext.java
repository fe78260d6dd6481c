package io.keelson.runtime.metrics;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The span of a caller, from the {@code traceparent} that it sends (W3C Trace Context, level 1).
 *
 * @param traceId 32 hexadecimal digits
 * @param spanId 16 hexadecimal digits
 * @param sampled whether the caller's trace is recorded
 */
record TraceContext(String traceId, String spanId, boolean sampled) {

  private static final Pattern FORM =
      Pattern.compile("([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?");

  private static final int SAMPLED = 1;

  /** Empty for a text that the recommendation tells to ignore. */
  static Optional<TraceContext> parse(String traceparent) {
    Matcher fields = FORM.matcher(traceparent);
    if (!fields.matches()
        || fields.group(1).equals("ff")
        || (fields.group(1).equals("00") && fields.group(5) != null)
        || fields.group(2).matches("0+")
        || fields.group(3).matches("0+")) {
      return Optional.empty();
    }
    boolean sampled = (Integer.parseInt(fields.group(4), 16) & SAMPLED) != 0;
    return Optional.of(new TraceContext(fields.group(2), fields.group(3), sampled));
  }
}
