package io.keelson.device.builtin;

import io.keelson.proto.deviceplugin.v1beta1.ContainerAllocateResponse;
import java.io.IOException;
import java.util.List;

/** Looks for the devices of one resource on the host. Safe for use by many threads. */
interface DeviceScan {

  /** All devices that there are now, in an order that stays. */
  List<FoundDevice> scan() throws IOException;

  /** Adds what a container with these devices needs beside their own nodes. */
  default void complete(List<FoundDevice> given, ContainerAllocateResponse.Builder answer)
      throws IOException {}

  /** Whether a container may get a device that is not there yet, and gets its nodes later. */
  default boolean isAwaitable() {
    return false;
  }
}
