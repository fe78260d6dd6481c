package io.keelson.image.source;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.keelson.image.manifest.ImageConfig;
import io.keelson.image.reference.Digest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Images of one layer whose config is made here, because their source has none. */
final class MadeImage {

  private final ObjectMapper json = new ObjectMapper();

  /** An object to be filled with the settings of containers (OCI image spec, config). */
  ObjectNode settings() {
    return json.createObjectNode();
  }

  ImageArchive.Named of(
      ImagePlace place, Digest diffId, LayerForm form, ObjectNode settings, List<String> names)
      throws IOException {
    ObjectNode config = json.createObjectNode();
    config.put("architecture", place.resolver().host().architecture());
    config.put("os", place.resolver().host().os());
    config.set("config", settings);
    config.putObject("rootfs").put("type", "layers").putArray("diff_ids").add(diffId.toString());
    String text = json.writeValueAsString(config);
    ImageConfig parsed =
        place
            .resolver()
            .parser()
            .config(text.getBytes(StandardCharsets.UTF_8), place.path().toString());
    LayerBlob layer = new LayerBlob("root", null, -1, diffId, form);
    return new ImageArchive.Named(new SourceImage(null, parsed, List.of(layer)), names);
  }
}
