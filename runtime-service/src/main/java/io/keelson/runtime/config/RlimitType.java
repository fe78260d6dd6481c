package io.keelson.runtime.config;

import io.keelson.sandbox.spec.SpecRlimit;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A resource limit of processes as ulimits are written: {@code nofile=1024:524288}. */
final class RlimitType implements ValueType<SpecRlimit> {

  static final RlimitType INSTANCE = new RlimitType();

  private static final String PREFIX = "RLIMIT_";
  private static final long UNLIMITED = -1;
  private static final String NUMBER = "([0-9]{1,18}|unlimited)";

  /** setrlimit(2). */
  private static final Pattern TEXT =
      Pattern.compile(
          "(as|core|cpu|data|fsize|locks|memlock|msgqueue|nice|nofile|nproc|rss|rtprio|rttime"
              + "|sigpending|stack)="
              + NUMBER
              + "(?::"
              + NUMBER
              + ")?");

  private RlimitType() {}

  @Override
  public SpecRlimit read(Object value) throws BadValueException {
    Matcher matcher = TEXT.matcher(String.valueOf(value));
    if (value instanceof String && matcher.matches()) {
      long soft = number(matcher.group(2));
      long hard = matcher.group(3) == null ? soft : number(matcher.group(3));
      if (hard == UNLIMITED || (soft != UNLIMITED && soft <= hard)) {
        return new SpecRlimit(PREFIX + matcher.group(1).toUpperCase(Locale.ROOT), soft, hard);
      }
    }
    throw ValueTypes.expected(
        "a limit as name=soft:hard, such as nofile=1024:524288 or core=unlimited", value);
  }

  @Override
  public String toToml(SpecRlimit limit) {
    String name = limit.type().substring(PREFIX.length()).toLowerCase(Locale.ROOT);
    return '"' + name + "=" + text(limit.soft()) + ":" + text(limit.hard()) + '"';
  }

  private static long number(String text) {
    return text.equals("unlimited") ? UNLIMITED : Long.parseLong(text);
  }

  private static String text(long limit) {
    return limit == UNLIMITED ? "unlimited" : Long.toString(limit);
  }
}
