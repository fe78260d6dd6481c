package io.keelson.runtime.nri;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.keelson.proto.nri.v1alpha1.Container;
import io.keelson.proto.nri.v1alpha1.Field;
import io.keelson.proto.nri.v1alpha1.SecurityProfile.ProfileType;
import io.keelson.runtime.config.NriRestriction;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.OperationFailedException;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The node's own rules on what plugins do to a container that is being made: which plugins must be
 * there, and what none may adjust. They hold whatever validators say that connect.
 *
 * @param requiredPlugins by {@code NAME} or {@code NN-NAME}
 * @param tolerateMissingAnnotation the key of what frees a pod or container of them; may be empty
 * @param rejected what no plugin may adjust
 */
public record NodeRules(
    List<String> requiredPlugins, String tolerateMissingAnnotation, Set<NriRestriction> rejected) {

  /** Names the plugins that a pod or container requires itself. */
  private static final String REQUIRED_ANNOTATION = "required-plugins.noderesource.dev";

  private static final YAMLMapper YAML = new YAMLMapper();

  /** The rules as they are from now on. */
  public NodeRules {
    requiredPlugins = List.copyOf(requiredPlugins);
    rejected = Set.copyOf(rejected);
  }

  /**
   * Looks whether all plugins are there that the container requires.
   *
   * @param annotations of the pod
   * @param container its name
   * @throws FailedPreconditionException if one is missing
   * @throws InvalidRequestException if an annotation can't be read
   */
  void require(
      Map<String, String> annotations, String container, Collection<PluginIdentity> present) {
    Set<String> missing = new LinkedHashSet<>(requiredPlugins);
    annotation(annotations, REQUIRED_ANNOTATION, container)
        .map(NodeRules::names)
        .ifPresent(missing::addAll);
    if (missing.isEmpty()) {
      return;
    }
    for (PluginIdentity plugin : present) {
      missing.remove(plugin.name());
      missing.remove(plugin.label());
    }
    if (!missing.isEmpty() && !tolerates(annotations, container)) {
      throw new FailedPreconditionException(
          "container %s is not made without the NRI plugins %s, which are not there"
              .formatted(container, String.join(", ", missing)));
    }
  }

  private boolean tolerates(Map<String, String> annotations, String container) {
    if (tolerateMissingAnnotation.isEmpty()) {
      return false;
    }
    String value = annotation(annotations, tolerateMissingAnnotation, container).orElse("false");
    if (!value.equals("true") && !value.equals("false")) {
      throw new InvalidRequestException(
          "annotation %s says neither true nor false: \"%s\""
              .formatted(tolerateMissingAnnotation, value));
    }
    return value.equals("true");
  }

  /** A container's own comes before its pod's. */
  private static Optional<String> annotation(
      Map<String, String> annotations, String key, String container) {
    return Stream.of(key + "/container." + container, key + "/pod", key)
        .filter(annotations::containsKey)
        .map(annotations::get)
        .findFirst();
  }

  private static List<String> names(String yaml) {
    try {
      JsonNode list = YAML.readTree(yaml);
      if (list.isArray() && list.valueStream().allMatch(JsonNode::isTextual)) {
        return list.valueStream().map(JsonNode::asText).toList();
      }
    } catch (JsonProcessingException e) {
      throw unreadable(yaml, e);
    }
    throw unreadable(yaml, null);
  }

  private static InvalidRequestException unreadable(
      String yaml, @Nullable JsonProcessingException cause) {
    return new InvalidRequestException(
        "annotation %s is no list of plugins: \"%s\"".formatted(REQUIRED_ANNOTATION, yaml), cause);
  }

  /**
   * Looks whether plugins adjusted what none may.
   *
   * @param before the container as the daemon made it
   * @throws OperationFailedException if one did
   */
  void judge(Container before, Owners owners) {
    for (NriRestriction restriction : rejected) {
      Map<String, String> offenders = owners.of(before.getId(), field(restriction));
      if (!offenders.isEmpty() && applies(restriction, before)) {
        throw new OperationFailedException(
            "NRI plugins may not adjust %s on this node, and %s did of container %s"
                .formatted(
                    restriction.name().toLowerCase(Locale.ROOT),
                    offenders.values().stream().distinct().collect(Collectors.joining(", ")),
                    before.getId()));
      }
    }
  }

  private static Field field(NriRestriction restriction) {
    return switch (restriction) {
      case HOOKS -> Field.OciHooks;
      case NAMESPACES -> Field.Namespace;
      case SYSCTLS -> Field.Sysctl;
      case SECCOMP_DEFAULT, SECCOMP_LOCALHOST, SECCOMP_UNCONFINED -> Field.SeccompPolicy;
    };
  }

  private static boolean applies(NriRestriction restriction, Container before) {
    boolean filtered = before.getLinux().hasSeccompProfile();
    var type = before.getLinux().getSeccompProfile().getProfileType();
    return switch (restriction) {
      case HOOKS, NAMESPACES, SYSCTLS -> true;
      case SECCOMP_DEFAULT -> filtered && type == ProfileType.RUNTIME_DEFAULT;
      case SECCOMP_LOCALHOST -> filtered && type == ProfileType.LOCALHOST;
      case SECCOMP_UNCONFINED -> !filtered || type == ProfileType.UNCONFINED;
    };
  }
}
