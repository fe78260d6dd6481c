package io.keelson.device.cdi;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One spec file.
 *
 * @param kind {@code vendor.example/class}
 * @param edits for each container that gets any of the devices, once
 * @param devices by name, in the file's order
 */
record CdiSpec(Path file, String kind, CdiEdits edits, Map<String, CdiEdits> devices) {

  CdiSpec {
    devices = Collections.unmodifiableMap(new LinkedHashMap<>(devices));
  }
}
