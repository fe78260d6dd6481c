package io.keelson.linux.netlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What no kernel sends: replies that are cut, or that lie about their lengths. */
class DatagramTest {

  @Test
  void readsBackWhatIsWritten() throws MalformedMessageException {
    byte[] bytes = aLink();
    Datagram.Message message = Datagram.messages(bytes, bytes.length).getFirst();
    Link link = Link.decode(message);
    assertThat(link.name()).isEqualTo("eth0");
    assertThat(link.index()).isEqualTo(7);
    assertThat(link.mtu()).isEqualTo(1400);
    assertThat(link.kind()).contains("veth");
    assertThat(link.up()).isTrue();
  }

  @Test
  void aCutReplyIsRefusedAtEveryLength() {
    byte[] bytes = aLink();
    for (int length = 1; length < bytes.length; length++) {
      byte[] cut = Arrays.copyOf(bytes, length);
      assertThatThrownBy(() -> Datagram.messages(cut, cut.length))
          .as("first %d bytes", length)
          .isInstanceOf(MalformedMessageException.class);
    }
  }

  @Test
  void anAttributeLongerThanItsMessageIsRefused() throws MalformedMessageException {
    byte[] bytes = aLink();
    bytes[32] = (byte) 0xff; // the length of the first attribute
    Datagram.Message message = Datagram.messages(bytes, bytes.length).getFirst();
    assertThatThrownBy(() -> Link.decode(message)).isInstanceOf(MalformedMessageException.class);
  }

  @Test
  void rubbishEndsInAMalformedMessageAndNothingElse() {
    Random random = new Random(20261122);
    for (int round = 0; round < 20_000; round++) {
      byte[] bytes = aLink();
      for (int change = random.nextInt(1, 6); change > 0; change--) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
      }
      try {
        for (Datagram.Message message : Datagram.messages(bytes, bytes.length)) {
          decodeAsEverything(message);
        }
      } catch (MalformedMessageException e) {
        assertThat(e).hasMessageContaining("malformed");
      }
    }
  }

  private static void decodeAsEverything(Datagram.Message message)
      throws MalformedMessageException {
    attempt(() -> Link.decode(message));
    attempt(() -> Route.decode(message));
    attempt(() -> LinkAddress.decode(message));
    attempt(() -> UdpFlows.decode(message));
    attempt(() -> Acknowledgement.of(message));
    attempt(() -> Acknowledgement.ofDone(message));
  }

  private interface Decoder {
    Object decode() throws MalformedMessageException;
  }

  private static void attempt(Decoder decoder) {
    try {
      assertThat(decoder.decode()).isNotNull();
    } catch (MalformedMessageException e) {
      assertThat(e).hasMessageContaining("malformed");
    }
  }

  private static byte[] aLink() {
    MessageWriter message = new MessageWriter(NetlinkConstants.RTM_NEWLINK, 0x0300);
    LinkSettings.named("eth0").mtu(1400).up().mac(new MacAddress(5)).writeTo(message, 7);
    message.nested(
        NetlinkConstants.IFLA_LINKINFO,
        () -> message.attribute(NetlinkConstants.IFLA_INFO_KIND, "veth"));
    return message.toBytes();
  }
}
