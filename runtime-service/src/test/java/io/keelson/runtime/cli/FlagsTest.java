package io.keelson.runtime.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.proto.cri.v1.Mount;
import io.keelson.proto.cri.v1.PortMapping;
import io.keelson.proto.cri.v1.Protocol;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FlagsTest {

  @Test
  void aPortMappingMayNameAddressAndProtocol() {
    assertThat(PortFlag.parse("8080:80"))
        .isEqualTo(PortMapping.newBuilder().setHostPort(8080).setContainerPort(80).build());
    assertThat(PortFlag.parse("127.0.0.1:53:5353/udp"))
        .isEqualTo(
            PortMapping.newBuilder()
                .setHostIp("127.0.0.1")
                .setHostPort(53)
                .setContainerPort(5353)
                .setProtocol(Protocol.UDP)
                .build());
    assertThat(PortFlag.parse("[::1]:1:2/sctp").getHostIp()).isEqualTo("::1");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"80", "80:", "0:80", "80:65536", "80:80/icmp", "a:b", "1:2:3:4", "::1:1:2"})
  void aPortMappingThatIsNoneIsRefused(String text) {
    assertThatThrownBy(() -> PortFlag.parse(text)).isInstanceOf(CommandException.class);
  }

  @Test
  void aVolumeMayBeReadOnly() {
    assertThat(VolumeFlag.parse("/a/../b:/c:ro"))
        .isEqualTo(
            Mount.newBuilder().setHostPath("/b").setContainerPath("/c").setReadonly(true).build());
  }

  @ParameterizedTest
  @ValueSource(strings = {"/a", "/a:b", ":/b", "/a:/b:rx", "/a:/b:ro:z"})
  void aVolumeThatIsNoneIsRefused(String text) {
    assertThatThrownBy(() -> VolumeFlag.parse(text)).isInstanceOf(CommandException.class);
  }

  @Test
  void aNameIsMadeFromTheImages() {
    assertThat(RunCommand.defaultName("registry:5000/team/Web_app:1.2"))
        .matches("web-app-[0-9a-f]{4}");
    assertThat(RunCommand.defaultName("busybox")).matches("busybox-[0-9a-f]{4}");
    assertThat(RunCommand.defaultName("x@sha256:00")).matches("x-[0-9a-f]{4}");
  }
}
