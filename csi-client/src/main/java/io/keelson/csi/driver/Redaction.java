package io.keelson.csi.driver;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.MapEntry;
import com.google.protobuf.Message;
import io.grpc.CallOptions;
import io.grpc.stub.AbstractStub;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Takes the secrets that a request carried out of what is said of it. Drivers put the command that
 * failed into their errors, password and all. Immutable.
 */
public final class Redaction {

  /** Has no secrets. */
  public static final Redaction NONE = new Redaction(List.of());

  /** Stands for a secret. */
  static final String HIDDEN = "***";

  /**
   * Shorter ones are left as they are, characters: they are part of any text, which would tell
   * nothing without them, and what is left of it would tell them.
   */
  private static final int SHORTEST = 4;

  /** An option of a call: what else a driver may know besides what the request carries. */
  static final CallOptions.Key<Redaction> MORE =
      CallOptions.Key.createWithDefault("redaction", NONE);

  private final List<String> secrets;

  private Redaction(List<String> secrets) {
    this.secrets = secrets;
  }

  /** Of the fields that the contract says are to be kept out of logs ({@code debug_redact}). */
  public static Redaction of(Message request) {
    return of(
        request.getAllFields().entrySet().stream()
            .filter(field -> field.getKey().getOptions().getDebugRedact())
            .flatMap(field -> values(field.getKey(), field.getValue()))
            .toList());
  }

  private static Stream<String> values(FieldDescriptor field, Object value) {
    return field.isMapField()
        ? ((Collection<?>) value).stream().map(entry -> ((MapEntry<?, ?>) entry).getValue() + "")
        : Stream.of(value.toString());
  }

  /**
   * @param values of secrets; one of several lines is also found by line, as it is where it is
   *     quoted or lacks its last line break
   */
  public static Redaction of(Collection<String> values) {
    List<String> secrets =
        values.stream()
            .flatMap(value -> Stream.concat(Stream.of(value), value.lines().map(String::strip)))
            .filter(value -> value.length() >= SHORTEST)
            .distinct()
            // One may be part of another.
            .sorted(Comparator.comparingInt(String::length).reversed())
            .toList();
    return secrets.isEmpty() ? NONE : new Redaction(secrets);
  }

  /** A stub whose failures lack these secrets as well as those of the request. */
  public <S extends AbstractStub<S>> S applyTo(S stub) {
    return stub.withOption(MORE, this);
  }

  /** The text without the secrets. */
  public String of(String text) {
    String left = text;
    for (String secret : secrets) {
      left = left.replace(secret, HIDDEN);
    }
    return left;
  }
}
