package io.keelson.cni.plugin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CniResultTest {

  private static ObjectNode json(String text) throws IOException {
    return Json.parseObject(text.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void olderResultBecomesANewerOne() throws IOException {
    CniResult old =
        CniResult.parse(
            json(
                """
                {"cniVersion":"0.3.1","interfaces":[{"name":"eth0","sandbox":"/n"}],
                 "ips":[{"version":"4","address":"10.0.0.2/24","gateway":"10.0.0.1","interface":0}],
                 "routes":[{"dst":"0.0.0.0/0"}],"dns":{"nameservers":["1.1.1.1"]},"custom":1.50}"""),
            CniVersion.V0_3_1);
    assertThat(old.as(CniVersion.V1_1_0).json())
        .isEqualTo(
            json(
                """
                {"cniVersion":"1.1.0","interfaces":[{"name":"eth0","sandbox":"/n"}],
                 "ips":[{"address":"10.0.0.2/24","gateway":"10.0.0.1","interface":0}],
                 "routes":[{"dst":"0.0.0.0/0"}],"dns":{"nameservers":["1.1.1.1"]},"custom":1.50}"""));
    assertThat(old.json().at("/ips/0/version").asText()).isEqualTo("4");
  }

  @Test
  void answerInAnotherVersionThanAskedIsPassedOnInTheOneAsked() throws IOException {
    CniResult result =
        CniResult.parse(
            json(
                """
                {"cniVersion":"1.1.0",
                 "interfaces":[{"name":"eth0","mtu":1450,"sandbox":"/n","pciID":"x","socketPath":"/s"}],
                 "ips":[{"address":"10.0.0.2/24"},{"address":"fd00::2/64"}],
                 "routes":[{"dst":"::/0","mtu":1400,"table":5}]}"""),
            CniVersion.V0_4_0);
    assertThat(result.json())
        .isEqualTo(
            json(
                """
                {"cniVersion":"0.4.0","interfaces":[{"name":"eth0","sandbox":"/n"}],
                 "ips":[{"address":"10.0.0.2/24","version":"4"},{"address":"fd00::2/64","version":"6"}],
                 "routes":[{"dst":"::/0"}]}"""));
  }

  @Test
  void firstFormatIsUnderstood() throws IOException {
    CniResult result =
        CniResult.parse(
            json(
                """
                {"cniVersion":"0.2.0",
                 "ip4":{"ip":"10.0.0.2/24","gateway":"10.0.0.1","routes":[{"dst":"0.0.0.0/0"}]},
                 "ip6":{"ip":"fd00::2/64"},"dns":{"domain":"x"}}"""),
            CniVersion.V1_0_0);
    assertThat(result.json())
        .isEqualTo(
            json(
                """
                {"cniVersion":"1.0.0",
                 "ips":[{"address":"10.0.0.2/24","gateway":"10.0.0.1"},{"address":"fd00::2/64"}],
                 "routes":[{"dst":"0.0.0.0/0"}],"dns":{"domain":"x"}}"""));
  }

  @Test
  void resultWithoutVersionIsOfTheVersionAsked() throws IOException {
    CniResult result =
        CniResult.parse(json("{\"ips\":[{\"address\":\"10.0.0.2/24\"}]}"), CniVersion.V0_4_0);
    assertThat(result.json().path("cniVersion").asText()).isEqualTo("0.4.0");
  }

  @Test
  void addressesAreThoseOfThePodsInterfaceFourBeforeSix() throws IOException {
    CniResult result =
        CniResult.parse(
            json(
                """
                {"cniVersion":"1.0.0",
                 "interfaces":[{"name":"eth0"},{"name":"eth0","sandbox":"/n"},{"name":"net1","sandbox":"/n"}],
                 "ips":[{"address":"192.168.0.1/24","interface":0},{"address":"fd00::2/64","interface":1},
                        {"address":"10.0.0.2/24"},{"address":"172.16.0.1/24","interface":2}]}"""),
            CniVersion.V1_0_0);
    assertThat(result.addresses("eth0"))
        .containsExactly(InetAddress.ofLiteral("10.0.0.2"), InetAddress.ofLiteral("fd00::2"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"ips\":[]}",
        "{\"ips\":\"10.0.0.2\"}",
        "{\"ips\":[{\"address\":\"example.org/24\"}]}",
        "{\"ips\":[{\"address\":\"\"}]}",
        "{\"ips\":[{\"address\":7}]}",
        "{\"ips\":[{\"address\":\"10.0.0.2/24\",\"interface\":1}],\"interfaces\":[{\"name\":\"eth0\"}]}",
        "{\"ips\":[{\"address\":\"10.0.0.2/24\",\"interface\":-1}]}"
      })
  void resultThatMakesNoSenseIsRefused(String text) throws IOException {
    CniResult result = CniResult.parse(json(text), CniVersion.V1_0_0);
    assertThatThrownBy(() -> result.addresses("eth0"))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("has ");
  }
}
