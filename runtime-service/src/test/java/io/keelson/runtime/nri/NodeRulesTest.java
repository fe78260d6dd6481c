package io.keelson.runtime.nri;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.proto.nri.v1alpha1.Container;
import io.keelson.proto.nri.v1alpha1.Field;
import io.keelson.proto.nri.v1alpha1.SecurityProfile.ProfileType;
import io.keelson.runtime.config.NriRestriction;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.OperationFailedException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NodeRulesTest {

  private static final String KEY = "required-plugins.noderesource.dev";
  private static final List<PluginIdentity> PRESENT =
      List.of(new PluginIdentity("10", "limits", PluginIdentity.Origin.CONNECTED));

  /** Red if a container is made without what it requires, or refused though all is there. */
  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      nullValues = "-",
      value = {
        "-; -; true",
        KEY + "; [limits]; true",
        KEY + "; [10-limits]; true",
        KEY + "; [20-limits]; false",
        KEY + "; '- limits\n- other'; false",
        KEY + "/pod; [other]; false",
        KEY + "/container.main; [other]; false",
        KEY + "/container.side; [other]; true",
      })
  void whatAPodRequiresMustBeThere(String key, String value, boolean made) {
    NodeRules rules = new NodeRules(List.of(), "", Set.of());
    Map<String, String> annotations = key == null ? Map.of() : Map.of(key, value);
    if (made) {
      assertThatCode(() -> rules.require(annotations, "main", PRESENT)).doesNotThrowAnyException();
    } else {
      assertThatThrownBy(() -> rules.require(annotations, "main", PRESENT))
          .isInstanceOf(FailedPreconditionException.class);
    }
  }

  /** Red if a container's own list does not take the place of its pod's. */
  @Test
  void aContainersOwnListComesFirst() {
    NodeRules rules = new NodeRules(List.of(), "", Set.of());
    rules.require(Map.of(KEY, "[other]", KEY + "/container.main", "[]"), "main", PRESENT);
  }

  /** Red if the node's list is passed over, or if what bears its absence is refused. */
  @Test
  void whatTheNodeRequiresMayBeForgiven() {
    NodeRules rules = new NodeRules(List.of("limits", "other"), "example.org/bear", Set.of());

    assertThatThrownBy(() -> rules.require(Map.of(), "main", PRESENT))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining("other")
        .hasMessageNotContaining("limits");
    rules.require(Map.of("example.org/bear", "true"), "main", PRESENT);
    rules.require(Map.of("example.org/bear/container.main", "true"), "main", PRESENT);
    assertThatThrownBy(() -> rules.require(Map.of("example.org/bear", "maybe"), "main", PRESENT))
        .isInstanceOf(InvalidRequestException.class);
  }

  /** Red if a list that can't be read requires nothing. */
  @Test
  void anUnreadableListIsNoEmptyList() {
    NodeRules rules = new NodeRules(List.of(), "", Set.of());
    for (String value : List.of("limits", "{a: b}", "[", "[1]", "")) {
      assertThatThrownBy(() -> rules.require(Map.of(KEY, value), "main", PRESENT))
          .as(value)
          .isInstanceOf(InvalidRequestException.class);
    }
  }

  /** Red if a forbidden adjustment is let through, or one of another kind is not. */
  @ParameterizedTest
  @CsvSource({
    "HOOKS,OciHooks,UNCONFINED,true",
    "HOOKS,Env,UNCONFINED,false",
    "NAMESPACES,Namespace,UNCONFINED,true",
    "SYSCTLS,Sysctl,UNCONFINED,true",
    "SECCOMP_DEFAULT,SeccompPolicy,RUNTIME_DEFAULT,true",
    "SECCOMP_DEFAULT,SeccompPolicy,UNCONFINED,false",
    "SECCOMP_LOCALHOST,SeccompPolicy,LOCALHOST,true",
    "SECCOMP_LOCALHOST,SeccompPolicy,RUNTIME_DEFAULT,false",
    "SECCOMP_UNCONFINED,SeccompPolicy,UNCONFINED,true",
    "SECCOMP_UNCONFINED,SeccompPolicy,LOCALHOST,false",
  })
  void whatIsForbiddenIsNotAdjusted(
      NriRestriction restriction, Field adjusted, ProfileType seccomp, boolean refused) {
    NodeRules rules = new NodeRules(List.of(), "", Set.of(restriction));
    Container.Builder container = Container.newBuilder().setId("c");
    container.getLinuxBuilder().getSeccompProfileBuilder().setProfileType(seccomp);
    Owners owners = new Owners();
    owners.claim("c", adjusted, "key", "10-limits");

    if (refused) {
      assertThatThrownBy(() -> rules.judge(container.build(), owners))
          .isInstanceOf(OperationFailedException.class)
          .hasMessageContaining("10-limits");
    } else {
      rules.judge(container.build(), owners);
    }
  }

  /**
   * Red if taking something away is no adjustment, or a container without filter is taken for one.
   */
  @Test
  void takingAwayIsAnAdjustmentToo() {
    Owners owners = new Owners();
    owners.clear("c", Field.Sysctl, "kernel.shm_rmid_forced", "10-limits");
    owners.claim("c", Field.SeccompPolicy, "10-limits");
    Container bare = Container.newBuilder().setId("c").build();

    assertThatThrownBy(
            () -> new NodeRules(List.of(), "", Set.of(NriRestriction.SYSCTLS)).judge(bare, owners))
        .hasMessageContaining("10-limits did");
    assertThatThrownBy(
            () ->
                new NodeRules(List.of(), "", Set.of(NriRestriction.SECCOMP_UNCONFINED))
                    .judge(bare, owners))
        .isInstanceOf(OperationFailedException.class);
    new NodeRules(List.of(), "", Set.of(NriRestriction.SECCOMP_DEFAULT)).judge(bare, owners);
    assertThat(owners.of("other", Field.Sysctl)).isEmpty();
  }
}
