package io.keelson.device.dra;

import io.keelson.sandbox.error.InvalidRequestException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A claim that a pod names, and the driver that prepares it.
 *
 * @param uid of the ResourceClaim
 */
record ClaimName(String driver, String namespace, String name, String uid) {

  /** On a pod: {@code DRIVER=NAMESPACE/NAME@UID, …}. */
  static final String ANNOTATION = "devices.keelson.io/claims";

  private static final Pattern FORM =
      Pattern.compile("([-.a-z0-9]+)=([-a-z0-9]+)/([-.a-z0-9]+)@([-A-Za-z0-9]+)");

  static List<ClaimName> parse(String text) {
    List<ClaimName> claims = new ArrayList<>();
    for (String entry : text.split(",", -1)) {
      if (!entry.isBlank()) {
        Matcher matcher = FORM.matcher(entry.strip());
        if (!matcher.matches()) {
          throw new InvalidRequestException(
              "annotation %s: \"%s\" is not of the form DRIVER=NAMESPACE/NAME@UID"
                  .formatted(ANNOTATION, entry.strip()));
        }
        claims.add(
            new ClaimName(matcher.group(1), matcher.group(2), matcher.group(3), matcher.group(4)));
      }
    }
    return claims;
  }
}
