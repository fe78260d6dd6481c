package io.keelson.linux.netlink;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class IpTextTest {

  @ParameterizedTest
  @CsvSource({
    "10.0.0.7, 10.0.0.7",
    "0:0:0:0:0:0:0:0, ::",
    "0:0:0:0:0:0:0:1, ::1",
    "FD4B:0:0:0:0:0:0:0, fd4b::",
    "fd4b:6565:6c73:0:0:0:0:2, fd4b:6565:6c73::2",
    // One zero group alone stays; of two equal runs the first goes; the longer of two goes.
    "2001:db8:0:1:1:1:1:1, 2001:db8:0:1:1:1:1:1",
    "2001:db8:0:0:1:0:0:1, 2001:db8::1:0:0:1",
    "2001:0:0:1:0:0:0:1, 2001:0:0:1::1",
    "2001:0db8:0001:0010:0100:1000:00a0:000b, 2001:db8:1:10:100:1000:a0:b",
    "fe80:0:0:0:0:0:0:1%1, fe80::1",
  })
  void textIsCanonical(String address, String canonical) {
    assertThat(IpText.of(InetAddress.ofLiteral(address))).isEqualTo(canonical);
  }
}
