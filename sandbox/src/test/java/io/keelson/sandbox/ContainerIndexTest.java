package io.keelson.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.proto.cri.v1.Container;
import io.keelson.proto.record.v1.ContainerRecord;
import org.junit.jupiter.api.Test;

class ContainerIndexTest {

  private final ContainerIndex index = new ContainerIndex();

  @Test
  void containersAreFoundByPodUntilTheyAreRemoved() {
    ContainerEntry first = add("a1", "pod");
    ContainerEntry second = add("a0", "pod");
    ContainerEntry other = add("b", "other");
    assertThat(index.of("pod")).containsExactly(first, second);
    assertThat(index.of("none")).isEmpty();

    index.remove(first);
    assertThat(index.of("pod")).containsExactly(second);
    assertThat(index.find("a")).contains(second);
    index.remove(second);
    assertThat(index.of("pod")).isEmpty();
    assertThat(index.all()).containsExactly(other);
  }

  @Test
  void whatListsSayFollowsTheRecord() throws Exception {
    ContainerEntry container = add("a", "pod");
    assertThat(image(container)).isEmpty();
    assertThat(container.snapshot().item()).isSameAs(container.snapshot().item());

    container.record(container.record().toBuilder().setImageRef("sha256:1").build());
    assertThat(image(container)).isEqualTo("sha256:1");
  }

  private static String image(ContainerEntry container) throws Exception {
    return Container.parseFrom(container.snapshot().item()).getImageRef();
  }

  private ContainerEntry add(String id, String pod) {
    ContainerEntry container =
        new ContainerEntry(ContainerRecord.newBuilder().setId(id).setSandboxId(pod).build());
    index.put(container);
    return container;
  }
}
