package io.keelson.runtime.server;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor.JavaType;
import com.google.protobuf.Message;
import io.keelson.proto.cri.v1.PodSandboxMetadata;
import io.keelson.proto.cri.v1.RunPodSandboxRequest;
import java.util.Map;
import java.util.TreeMap;

/** Which pod and container a request is about, for the log. */
final class CallIds {

  private CallIds() {}

  /**
   * Keys of the log with their values: {@code pod}, {@code container}, {@code image}; often none.
   */
  static Map<String, String> of(Object request) {
    Map<String, String> ids = new TreeMap<>();
    if (request instanceof RunPodSandboxRequest run) {
      PodSandboxMetadata metadata = run.getConfig().getMetadata();
      ids.put("pod", metadata.getNamespace() + "/" + metadata.getName());
    } else if (request instanceof Message message) {
      put(ids, "pod", message, "pod_sandbox_id");
      put(ids, "container", message, "container_id");
    }
    return ids;
  }

  private static void put(Map<String, String> ids, String key, Message message, String field) {
    FieldDescriptor descriptor = message.getDescriptorForType().findFieldByName(field);
    if (descriptor != null
        && descriptor.getJavaType() == JavaType.STRING
        && !descriptor.isRepeated()
        && message.getField(descriptor) instanceof String id
        && !id.isEmpty()) {
      ids.put(key, id);
    }
  }
}
