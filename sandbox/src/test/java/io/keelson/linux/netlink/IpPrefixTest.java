package io.keelson.linux.netlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IpPrefixTest {

  @ParameterizedTest
  @CsvSource({
    "10.1.2.3/16, 10.1.0.0/16",
    "200.1.2.3/1, 128.0.0.0/1",
    "255.255.255.255/0, 0.0.0.0/0",
    "10.1.2.3/32, 10.1.2.3/32",
    "fd00:1:2:3:4:5:6:7/64, fd00:1:2:3::/64",
    "ffff::1/8, ff00::/8",
  })
  void networkClearsTheHostBits(String address, String network) {
    assertThat(IpPrefix.parse(address).network()).hasToString(network);
  }

  @ParameterizedTest
  @CsvSource({
    "10.0.0.0/16, 1, 10.0.0.1",
    "10.0.0.0/16, 65535, 10.0.255.255",
    "10.0.200.0/22, 256, 10.0.201.0",
    "fd00::/64, 65536, fd00::1:0",
    "fd00::/120, 255, fd00::ff",
  })
  void hostAndHostNumberAreEachOthersReverse(String network, long number, String address) {
    IpPrefix prefix = IpPrefix.parse(network);
    assertThat(IpText.of(prefix.host(number))).isEqualTo(address);
    assertThat(prefix.hostNumber(prefix.host(number))).isEqualTo(number);
  }

  @Test
  void aHostThatDoesNotFitIsRefused() {
    assertThatThrownBy(() -> IpPrefix.parse("10.0.0.0/24").host(256))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @CsvSource({
    "10.0.0.0/8, 10.1.0.0/16, true",
    "10.1.0.0/16, 10.0.0.0/8, true",
    "10.1.0.0/16, 10.2.0.0/16, false",
    "0.0.0.0/0, 10.2.0.0/16, true",
    "0.0.0.0/0, fd00::/64, false",
  })
  void overlapIsMutualAndWithinAFamily(String one, String other, boolean overlap) {
    assertThat(IpPrefix.parse(one).overlaps(IpPrefix.parse(other))).isEqualTo(overlap);
    assertThat(IpPrefix.parse(other).overlaps(IpPrefix.parse(one))).isEqualTo(overlap);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "/8", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "example.org/8", "fd00::/129"})
  void whatIsNoPrefixIsRefused(String text) {
    assertThatThrownBy(() -> IpPrefix.parse(text)).isInstanceOf(IllegalArgumentException.class);
  }
}
