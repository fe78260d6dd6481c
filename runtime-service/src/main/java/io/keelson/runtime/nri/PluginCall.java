package io.keelson.runtime.nri;

import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.keelson.proto.nri.v1alpha1.Container;
import io.keelson.proto.nri.v1alpha1.CreateContainerRequest;
import io.keelson.proto.nri.v1alpha1.CreateContainerResponse;
import io.keelson.proto.nri.v1alpha1.Event;
import io.keelson.proto.nri.v1alpha1.PodSandbox;
import io.keelson.proto.nri.v1alpha1.PostCreateContainerRequest;
import io.keelson.proto.nri.v1alpha1.PostCreateContainerResponse;
import io.keelson.proto.nri.v1alpha1.PostStartContainerRequest;
import io.keelson.proto.nri.v1alpha1.PostStartContainerResponse;
import io.keelson.proto.nri.v1alpha1.PostUpdateContainerRequest;
import io.keelson.proto.nri.v1alpha1.PostUpdateContainerResponse;
import io.keelson.proto.nri.v1alpha1.PostUpdatePodSandboxRequest;
import io.keelson.proto.nri.v1alpha1.PostUpdatePodSandboxResponse;
import io.keelson.proto.nri.v1alpha1.RemoveContainerRequest;
import io.keelson.proto.nri.v1alpha1.RemoveContainerResponse;
import io.keelson.proto.nri.v1alpha1.RemovePodSandboxRequest;
import io.keelson.proto.nri.v1alpha1.RemovePodSandboxResponse;
import io.keelson.proto.nri.v1alpha1.RunPodSandboxRequest;
import io.keelson.proto.nri.v1alpha1.RunPodSandboxResponse;
import io.keelson.proto.nri.v1alpha1.StartContainerRequest;
import io.keelson.proto.nri.v1alpha1.StartContainerResponse;
import io.keelson.proto.nri.v1alpha1.StateChangeEvent;
import io.keelson.proto.nri.v1alpha1.StopContainerRequest;
import io.keelson.proto.nri.v1alpha1.StopContainerResponse;
import io.keelson.proto.nri.v1alpha1.StopPodSandboxRequest;
import io.keelson.proto.nri.v1alpha1.StopPodSandboxResponse;
import io.keelson.proto.nri.v1alpha1.UpdateContainerRequest;
import io.keelson.proto.nri.v1alpha1.UpdateContainerResponse;
import io.keelson.proto.nri.v1alpha1.UpdatePodSandboxRequest;
import io.keelson.proto.nri.v1alpha1.UpdatePodSandboxResponse;
import io.keelson.proto.nri.v1alpha1.ValidateContainerAdjustmentRequest;
import io.keelson.proto.nri.v1alpha1.ValidateContainerAdjustmentResponse;
import java.util.Optional;
import java.util.function.Function;

/**
 * One kind of event that plugins subscribe to, and its call.
 *
 * @param event in the subscription
 * @param method of the Plugin service
 * @param answer reads the answer
 * @param older what to say by StateChange to a plugin from before the method; empty if such a
 *     plugin can do without
 * @param <Q> the request
 * @param <A> the answer
 */
record PluginCall<Q extends MessageLite, A>(
    Event event, String method, Parser<A> answer, Function<Q, Optional<StateChangeEvent>> older) {

  static final PluginCall<RunPodSandboxRequest, RunPodSandboxResponse> RUN_POD =
      ofPod(
          Event.RUN_POD_SANDBOX,
          "RunPodSandbox",
          RunPodSandboxResponse.parser(),
          RunPodSandboxRequest::getPod);
  static final PluginCall<UpdatePodSandboxRequest, UpdatePodSandboxResponse> UPDATE_POD =
      of(Event.UPDATE_POD_SANDBOX, "UpdatePodSandbox", UpdatePodSandboxResponse.parser());
  static final PluginCall<PostUpdatePodSandboxRequest, PostUpdatePodSandboxResponse>
      POST_UPDATE_POD =
          ofPod(
              Event.POST_UPDATE_POD_SANDBOX,
              "PostUpdatePodSandbox",
              PostUpdatePodSandboxResponse.parser(),
              PostUpdatePodSandboxRequest::getPod);
  static final PluginCall<StopPodSandboxRequest, StopPodSandboxResponse> STOP_POD =
      ofPod(
          Event.STOP_POD_SANDBOX,
          "StopPodSandbox",
          StopPodSandboxResponse.parser(),
          StopPodSandboxRequest::getPod);
  static final PluginCall<RemovePodSandboxRequest, RemovePodSandboxResponse> REMOVE_POD =
      ofPod(
          Event.REMOVE_POD_SANDBOX,
          "RemovePodSandbox",
          RemovePodSandboxResponse.parser(),
          RemovePodSandboxRequest::getPod);
  static final PluginCall<CreateContainerRequest, CreateContainerResponse> CREATE =
      of(Event.CREATE_CONTAINER, "CreateContainer", CreateContainerResponse.parser());
  static final PluginCall<PostCreateContainerRequest, PostCreateContainerResponse> POST_CREATE =
      ofContainer(
          Event.POST_CREATE_CONTAINER,
          "PostCreateContainer",
          PostCreateContainerResponse.parser(),
          PostCreateContainerRequest::getPod,
          PostCreateContainerRequest::getContainer);
  static final PluginCall<StartContainerRequest, StartContainerResponse> START =
      ofContainer(
          Event.START_CONTAINER,
          "StartContainer",
          StartContainerResponse.parser(),
          StartContainerRequest::getPod,
          StartContainerRequest::getContainer);
  static final PluginCall<PostStartContainerRequest, PostStartContainerResponse> POST_START =
      ofContainer(
          Event.POST_START_CONTAINER,
          "PostStartContainer",
          PostStartContainerResponse.parser(),
          PostStartContainerRequest::getPod,
          PostStartContainerRequest::getContainer);
  static final PluginCall<UpdateContainerRequest, UpdateContainerResponse> UPDATE =
      of(Event.UPDATE_CONTAINER, "UpdateContainer", UpdateContainerResponse.parser());
  static final PluginCall<PostUpdateContainerRequest, PostUpdateContainerResponse> POST_UPDATE =
      ofContainer(
          Event.POST_UPDATE_CONTAINER,
          "PostUpdateContainer",
          PostUpdateContainerResponse.parser(),
          PostUpdateContainerRequest::getPod,
          PostUpdateContainerRequest::getContainer);
  static final PluginCall<StopContainerRequest, StopContainerResponse> STOP =
      of(Event.STOP_CONTAINER, "StopContainer", StopContainerResponse.parser());
  static final PluginCall<RemoveContainerRequest, RemoveContainerResponse> REMOVE =
      ofContainer(
          Event.REMOVE_CONTAINER,
          "RemoveContainer",
          RemoveContainerResponse.parser(),
          RemoveContainerRequest::getPod,
          RemoveContainerRequest::getContainer);
  static final PluginCall<ValidateContainerAdjustmentRequest, ValidateContainerAdjustmentResponse>
      VALIDATE =
          of(
              Event.VALIDATE_CONTAINER_ADJUSTMENT,
              "ValidateContainerAdjustment",
              ValidateContainerAdjustmentResponse.parser());

  private static <Q extends MessageLite, A> PluginCall<Q, A> of(
      Event event, String method, Parser<A> answer) {
    return new PluginCall<>(event, method, answer, _ -> Optional.empty());
  }

  private static <Q extends MessageLite, A> PluginCall<Q, A> ofPod(
      Event event, String method, Parser<A> answer, Function<Q, PodSandbox> pod) {
    return new PluginCall<>(
        event,
        method,
        answer,
        request ->
            Optional.of(
                StateChangeEvent.newBuilder().setEvent(event).setPod(pod.apply(request)).build()));
  }

  private static <Q extends MessageLite, A> PluginCall<Q, A> ofContainer(
      Event event,
      String method,
      Parser<A> answer,
      Function<Q, PodSandbox> pod,
      Function<Q, Container> container) {
    return new PluginCall<>(
        event,
        method,
        answer,
        request ->
            Optional.of(
                StateChangeEvent.newBuilder()
                    .setEvent(event)
                    .setPod(pod.apply(request))
                    .setContainer(container.apply(request))
                    .build()));
  }
}
