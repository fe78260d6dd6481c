package io.keelson.runtime.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The rules of W3C's Trace Context for {@code traceparent}. */
class TraceContextTest {

  private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";
  private static final String SPAN = "b7ad6b7169203331";

  /** Red if a caller's span is not found, or its word on sampling not heard. */
  @Test
  void aCallersSpanIsRead() {
    assertThat(TraceContext.parse("00-" + TRACE + "-" + SPAN + "-01"))
        .contains(new TraceContext(TRACE, SPAN, true));
    assertThat(TraceContext.parse("00-" + TRACE + "-" + SPAN + "-02"))
        .contains(new TraceContext(TRACE, SPAN, false));
    assertThat(TraceContext.parse("cc-" + TRACE + "-" + SPAN + "-01-later"))
        .contains(new TraceContext(TRACE, SPAN, true));
  }

  /** Red if a text that is no span makes one. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "00",
        "ff-" + TRACE + "-" + SPAN + "-01",
        "00-" + TRACE + "-" + SPAN + "-01-later",
        "00-00000000000000000000000000000000-" + SPAN + "-01",
        "00-" + TRACE + "-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-" + SPAN + "-01",
        "00-" + TRACE + "-" + SPAN + "-1",
      })
  void whatIsNoneIsIgnored(String text) {
    assertThat(TraceContext.parse(text)).isEmpty();
  }
}
