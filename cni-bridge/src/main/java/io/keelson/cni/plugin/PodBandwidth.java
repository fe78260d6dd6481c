package io.keelson.cni.plugin;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.keelson.sandbox.error.InvalidRequestException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The limits that a pod's annotations {@code kubernetes.io/ingress-bandwidth} and {@code
 * egress-bandwidth} ask for: Kubernetes quantities in bits per second, from 1k to 1P.
 */
final class PodBandwidth {

  private static final BigDecimal MIN = BigDecimal.valueOf(1_000);
  private static final BigDecimal MAX = BigDecimal.valueOf(1_000_000_000_000_000L);

  /** Bits; what the other runtimes give, and the most that the reference plugin takes. */
  private static final long BURST = 0xffff_ffffL;

  private static final Pattern QUANTITY =
      Pattern.compile("(\\+?(?:\\d+(?:\\.\\d*)?|\\.\\d+))([a-zA-Z]*)((?<=[eE])[+-]?\\d+)?");

  private PodBandwidth() {}

  /**
   * The capability argument {@code bandwidth}, if a limit is asked for.
   *
   * @throws InvalidRequestException for a limit that is no quantity or out of range
   */
  static Optional<ObjectNode> of(Map<String, String> annotations) {
    ObjectNode limits = Json.object();
    put(limits, "ingress", annotations);
    put(limits, "egress", annotations);
    return limits.isEmpty() ? Optional.empty() : Optional.of(limits);
  }

  private static void put(ObjectNode limits, String direction, Map<String, String> annotations) {
    String annotation = "kubernetes.io/" + direction + "-bandwidth";
    String value = annotations.get(annotation);
    if (value == null) {
      return;
    }
    BigDecimal rate = parse(value);
    if (rate == null || rate.compareTo(MIN) < 0 || rate.compareTo(MAX) > 0) {
      throw new InvalidRequestException(
          "annotation "
              + annotation
              + " is \""
              + value
              + "\"; it must be a quantity of bits per second from 1k to 1P, such as 10M");
    }
    limits.put(direction + "Rate", rate.setScale(0, RoundingMode.CEILING).longValueExact());
    limits.put(direction + "Burst", BURST);
  }

  private static @Nullable BigDecimal parse(String quantity) {
    // longer ones are no bandwidth, and powers of ten without a bound would eat the memory
    Matcher matcher = QUANTITY.matcher(quantity);
    if (quantity.length() > 32 || !matcher.matches()) {
      return null;
    }
    BigDecimal number = new BigDecimal(matcher.group(1));
    String exponent = matcher.group(3);
    if (exponent != null) {
      int power = exponent.length() > 3 ? 99 : Integer.parseInt(exponent);
      return matcher.group(2).length() == 1 ? number.scaleByPowerOfTen(power) : null;
    }
    return switch (matcher.group(2)) {
      case "" -> number;
      case "n" -> number.scaleByPowerOfTen(-9);
      case "u" -> number.scaleByPowerOfTen(-6);
      case "m" -> number.scaleByPowerOfTen(-3);
      case "k" -> number.scaleByPowerOfTen(3);
      case "M" -> number.scaleByPowerOfTen(6);
      case "G" -> number.scaleByPowerOfTen(9);
      case "T" -> number.scaleByPowerOfTen(12);
      case "P" -> number.scaleByPowerOfTen(15);
      case "E" -> number.scaleByPowerOfTen(18);
      case "Ki" -> number.multiply(BigDecimal.valueOf(1L << 10));
      case "Mi" -> number.multiply(BigDecimal.valueOf(1L << 20));
      case "Gi" -> number.multiply(BigDecimal.valueOf(1L << 30));
      case "Ti" -> number.multiply(BigDecimal.valueOf(1L << 40));
      case "Pi" -> number.multiply(BigDecimal.valueOf(1L << 50));
      case "Ei" -> number.multiply(BigDecimal.valueOf(1L << 60));
      default -> null;
    };
  }
}
