package io.keelson.image.reference;

import io.keelson.sandbox.error.InvalidRequestException;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The name of an image in a registry, in full: what people write is completed as docker does it
 * ({@code busybox} is {@code docker.io/library/busybox:latest}). Grammar: distribution/reference.
 *
 * @param domain the registry, {@code host} or {@code host:port}
 * @param path the repository in it
 * @param tag null if the name is by digest
 * @param digest null if the name is by tag; where people write both, the digest counts
 */
public record ImageReference(
    String domain, String path, @Nullable String tag, @Nullable Digest digest) {

  public ImageReference {
    if ((tag == null) == (digest == null)) {
      throw new IllegalArgumentException("a name is by tag or by digest: " + domain + "/" + path);
    }
  }

  /** The registry of names that say none. */
  public static final String DOCKER_HUB = "docker.io";

  private static final String LATEST = "latest";
  private static final int MAX_NAME = 255;
  private static final int MAX_TEXT = MAX_NAME + 1 + 128 + 1 + 7 + 128;

  private static final Pattern HOST_PART = Pattern.compile("[a-zA-Z0-9]++(?:-++[a-zA-Z0-9]++)*+");
  private static final Pattern IPV6 = Pattern.compile("\\[[0-9a-fA-F:]{2,45}\\]");
  private static final Pattern PORT = Pattern.compile("[0-9]{1,5}");
  private static final Pattern PATH_PART =
      Pattern.compile("[a-z0-9]++(?:(?:\\.|__?|-++)[a-z0-9]++)*+");
  private static final Pattern TAG = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}");

  /**
   * Reads and completes a name.
   *
   * @throws InvalidRequestException if it is none; the message says what is wrong
   */
  public static ImageReference parse(String text) {
    if (text.isEmpty() || text.length() > MAX_TEXT) {
      throw invalid(text, text.isEmpty() ? "it is empty" : "it is too long");
    }
    String rest = text;
    Digest digest = null;
    int at = rest.indexOf('@');
    if (at >= 0) {
      digest = Digest.parse(rest.substring(at + 1));
      rest = rest.substring(0, at);
    }
    String tag = null;
    int colon = rest.lastIndexOf(':');
    if (colon > rest.lastIndexOf('/')) {
      tag = rest.substring(colon + 1);
      rest = rest.substring(0, colon);
      if (!TAG.matcher(tag).matches()) {
        throw invalid(text, "\"" + tag + "\" is no tag");
      }
    }
    if (rest.length() == 64 && Digest.isHex(rest)) {
      throw invalid(text, "64 hexadecimal digits are an id, not a name");
    }
    String domain = DOCKER_HUB;
    String path = rest;
    int slash = rest.indexOf('/');
    if (slash >= 0 && isDomain(rest.substring(0, slash))) {
      domain = rest.substring(0, slash);
      path = rest.substring(slash + 1);
    }
    if (domain.equals("index.docker.io")) {
      domain = DOCKER_HUB;
    }
    if (domain.equals(DOCKER_HUB) && path.indexOf('/') < 0) {
      path = "library/" + path;
    }
    check(text, domain, path);
    if (digest != null) {
      tag = null;
    } else if (tag == null) {
      tag = LATEST;
    }
    return new ImageReference(domain, path, tag, digest);
  }

  /** As {@link #parse}, empty if it is no name. */
  public static Optional<ImageReference> tryParse(String text) {
    try {
      return Optional.of(parse(text));
    } catch (InvalidRequestException e) {
      return Optional.empty();
    }
  }

  /** Registry and repository: what tags and digests are names in. */
  public String repository() {
    return domain + "/" + path;
  }

  /** The same repository, by this digest. */
  public ImageReference withDigest(Digest other) {
    return new ImageReference(domain, path, null, other);
  }

  /** The last part of the name as a registry is asked for it: the digest, or else the tag. */
  public String identifier() {
    return digest != null ? digest.toString() : Objects.requireNonNull(tag);
  }

  /** The name in full. */
  @Override
  public String toString() {
    return digest != null ? repository() + "@" + digest : repository() + ":" + tag;
  }

  // The rule by which docker tells a registry from the first part of a path.
  private static boolean isDomain(String first) {
    return first.indexOf('.') >= 0
        || first.indexOf(':') >= 0
        || first.equals("localhost")
        || first.chars().anyMatch(c -> c >= 'A' && c <= 'Z');
  }

  private static void check(String text, String domain, String path) {
    if (!isHost(domain)) {
      throw invalid(text, "\"" + domain + "\" is no registry");
    }
    if (domain.length() + 1 + path.length() > MAX_NAME) {
      throw invalid(text, "registry and repository have more than " + MAX_NAME + " characters");
    }
    for (String part : path.split("/", -1)) {
      if (!PATH_PART.matcher(part).matches()) {
        throw invalid(
            text,
            part.chars().anyMatch(Character::isUpperCase)
                ? "a repository must be in lower case"
                : "\"" + part + "\" is no part of a repository's name");
      }
    }
  }

  private static boolean isHost(String domain) {
    String host = domain;
    int colon = domain.lastIndexOf(':');
    if (colon > domain.lastIndexOf(']')) {
      if (!PORT.matcher(domain.substring(colon + 1)).matches()) {
        return false;
      }
      host = domain.substring(0, colon);
    }
    if (IPV6.matcher(host).matches()) {
      return true;
    }
    for (String part : host.split("\\.", -1)) {
      if (!HOST_PART.matcher(part).matches()) {
        return false;
      }
    }
    return true;
  }

  private static InvalidRequestException invalid(String text, String why) {
    String shown = text.length() > 300 ? text.substring(0, 300) + "…" : text;
    return new InvalidRequestException("invalid image reference \"" + shown + "\": " + why);
  }
}
