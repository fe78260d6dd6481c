package io.keelson.cni;

import static io.keelson.cni.plugin.CniFixture.pod;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.cni.plugin.CniFixture;
import io.keelson.cni.plugin.CniNetwork;
import io.keelson.sandbox.error.UnavailableException;
import io.keelson.sandbox.port.PodNetwork;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeNetworkTest {

  @TempDir Path folder;
  private CniFixture cni;
  private final InMemoryNetwork builtIn = new InMemoryNetwork();

  @BeforeEach
  void folders() throws IOException {
    cni = new CniFixture(folder);
    cni.plugin("first");
  }

  @Test
  void builtInNetworkAnswersWhereNothingIsConfigured() throws IOException {
    try (CniNetwork plugins = cni.open()) {
      PodNetwork network = new NodeNetwork(plugins, builtIn, Optional.empty());
      assertThat(network.condition().ready()).isTrue();
      network.attach(pod("p1"));
      assertThat(builtIn.attached).containsExactly("p1");
      network.detach(pod("p1"));
      assertThat(builtIn.attached).isEmpty();
      assertThat(cni.names()).isEmpty();
    }
  }

  @Test
  void brokenConfigurationIsNotPassedOver() throws IOException {
    cni.configure("10-net.conflist", "1.0.0", "no/name", "first");
    try (CniNetwork plugins = cni.open()) {
      PodNetwork network = new NodeNetwork(plugins, builtIn, Optional.empty());
      assertThat(network.condition().reason()).isEqualTo("NetworkPluginNotReady");
      assertThatThrownBy(() -> network.attach(pod("p1"))).isInstanceOf(UnavailableException.class);
      assertThat(builtIn.attached).isEmpty();
    }
  }

  @Test
  void podsAreDetachedByWhatAttachedThemAlsoAfterARestart() throws IOException {
    try (CniNetwork plugins = cni.open()) {
      new NodeNetwork(plugins, builtIn, Optional.empty()).attach(pod("built-in"));
    }
    cni.configure("10-net.conflist", "1.0.0", "podnet", "first");
    try (CniNetwork plugins = cni.open()) {
      PodNetwork network = new NodeNetwork(plugins, builtIn, Optional.empty());
      network.attach(pod("external"));
      network.attach(pod("lost"));
      network.detach(pod("built-in"));
      assertThat(builtIn.attached).isEmpty();
    }
    cni.remove("10-net.conflist");
    try (CniNetwork plugins = cni.open()) {
      PodNetwork network = new NodeNetwork(plugins, builtIn, Optional.empty());
      network.recover(List.of(pod("external")));
      assertThat(plugins.isAttached("lost")).isFalse();
      network.detach(pod("external"));
      assertThat(cni.names()).containsExactly("first ADD", "first ADD", "first DEL", "first DEL");
      assertThat(builtIn.recovered).containsExactly("external");
    }
  }

  @Test
  void attemptOfThePluginsIsTakenBackBeforeTheBuiltInNetworkTakesThePod() throws IOException {
    cni.configure("10-net.conflist", "1.0.0", "podnet", "first");
    try (CniNetwork plugins = cni.open()) {
      new NodeNetwork(plugins, builtIn, Optional.empty()).attach(pod("p1"));
    }
    cni.remove("10-net.conflist");
    try (CniNetwork plugins = cni.open()) {
      new NodeNetwork(plugins, builtIn, Optional.empty()).attach(pod("p1"));
      assertThat(cni.names()).containsExactly("first ADD", "first DEL");
      assertThat(builtIn.attached).containsExactly("p1");
    }
  }

  /** Remembers who is attached. */
  private static final class InMemoryNetwork implements PodNetwork {

    final Set<String> attached = new TreeSet<>();
    final List<String> recovered = new ArrayList<>();

    @Override
    public Attachment attach(Pod pod) {
      attached.add(pod.sandboxId());
      return new Attachment(List.of(InetAddress.ofLiteral("10.9.9.9")), "{}");
    }

    @Override
    public void detach(Pod pod) {
      attached.remove(pod.sandboxId());
    }

    @Override
    public Condition condition() {
      return new Condition(true, "", "");
    }

    @Override
    public void recover(Collection<Pod> known) {
      known.forEach(pod -> recovered.add(pod.sandboxId()));
    }
  }
}
