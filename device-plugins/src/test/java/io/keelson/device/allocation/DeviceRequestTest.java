package io.keelson.device.allocation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.sandbox.error.InvalidRequestException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DeviceRequestTest {

  @Test
  void countsSelectorsAndRepeatedResourcesAreRead() {
    assertThat(
            DeviceRequest.parse(
                " nvidia.com/gpu=1,"
                    + " usb.keelson.io/phone=serial:0815,nvidia.com/gpu=pci:0000:01:00.0,a.b/C"))
        .extracting(DeviceRequest::toString)
        .containsExactly(
            "nvidia.com/gpu=2[pci:0000:01:00.0]", "usb.keelson.io/phone=1[serial:0815]", "a.b/C=1");
    assertThat(DeviceRequest.parse("")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "gpu=1",
        "a.b/c=0",
        "a.b/c=-1",
        "a.b/c=x",
        "a.b/c=99999",
        "/c=1",
        "a.b/=1",
        "a.b/c=id:"
      })
  void whatIsNoRequestIsRefused(String text) {
    assertThatThrownBy(() -> DeviceRequest.parse(text)).isInstanceOf(InvalidRequestException.class);
  }
}
