package io.keelson.device.cdi;

import io.keelson.sandbox.error.InvalidRequestException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The full name of a CDI device: {@code vendor.example/class=name}. */
public record CdiName(String vendor, String deviceClass, String device) {

  private static final Pattern FORM =
      Pattern.compile(
          "([A-Za-z]([-_.A-Za-z0-9]*[A-Za-z0-9])?)"
              + "/([A-Za-z]([-_.A-Za-z0-9]*[A-Za-z0-9])?)"
              + "=([A-Za-z0-9]([-_.:A-Za-z0-9]*[A-Za-z0-9])?)");

  /**
   * Reads a full name.
   *
   * @throws InvalidRequestException if it is none
   */
  public static CdiName parse(String text) {
    Matcher matcher = FORM.matcher(text);
    if (!matcher.matches()) {
      throw new InvalidRequestException(
          "CDI device name \"%s\" is not of the form vendor.example/class=name".formatted(text));
    }
    return new CdiName(matcher.group(1), matcher.group(3), matcher.group(5));
  }

  /** Vendor and class. */
  public String kind() {
    return vendor + "/" + deviceClass;
  }

  @Override
  public String toString() {
    return kind() + "=" + device;
  }
}
