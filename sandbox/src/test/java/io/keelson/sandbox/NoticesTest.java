package io.keelson.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class NoticesTest {

  @Test
  void whoFailsAtANoticeKeepsItFromNobody() {
    List<String> told = new ArrayList<>();

    Notices.tell(
        List.of("first", "fails", "last"),
        adapter -> {
          if (adapter.equals("fails")) {
            throw new IllegalStateException("on purpose");
          }
          told.add(adapter);
        });

    assertThat(told).containsExactly("first", "last");
  }
}
