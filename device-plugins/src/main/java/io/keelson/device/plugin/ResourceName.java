package io.keelson.device.plugin;

import io.keelson.sandbox.error.InvalidRequestException;
import java.util.regex.Pattern;

/** The name of a resource as Kubernetes has it: {@code vendor.example/device}. */
public final class ResourceName {

  private static final String LABEL = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?";
  private static final Pattern FORM =
      Pattern.compile(LABEL + "(\\." + LABEL + ")*/[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?");

  private ResourceName() {}

  /**
   * The name as it stands.
   *
   * @throws InvalidRequestException if it is none
   */
  public static String check(String name) {
    if (!FORM.matcher(name).matches()) {
      throw new InvalidRequestException(
          "resource name \"%s\" is not of the form vendor.example/device".formatted(name));
    }
    return name;
  }
}
