package io.keelson.runtime.nri;

import io.keelson.proto.nri.v1alpha1.CDIDevice;
import io.keelson.proto.nri.v1alpha1.Container;
import io.keelson.proto.nri.v1alpha1.ContainerAdjustment;
import io.keelson.proto.nri.v1alpha1.CreateContainerRequest;
import io.keelson.proto.nri.v1alpha1.CreateContainerResponse;
import io.keelson.proto.nri.v1alpha1.Event;
import io.keelson.proto.nri.v1alpha1.LinuxResources;
import io.keelson.proto.nri.v1alpha1.PluginInstance;
import io.keelson.proto.nri.v1alpha1.PodSandbox;
import io.keelson.proto.nri.v1alpha1.ValidateContainerAdjustmentRequest;
import io.keelson.proto.nri.v1alpha1.ValidateContainerAdjustmentResponse;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.spec.SpecBuilder;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * CreateContainer: every plugin in its turn adjusts the container as those before it left it, then
 * validators look at the whole, then the spec is changed.
 */
final class Creation {

  private final NodeRules rules;
  private final Optional<BlockIoClasses> blockIo;
  private final CdiInjector cdi;
  private final IgnoredAdjustments ignored;
  private final int lowestOomScoreAdj;

  Creation(
      NodeRules rules,
      Optional<BlockIoClasses> blockIo,
      CdiInjector cdi,
      IgnoredAdjustments ignored,
      int lowestOomScoreAdj) {
    this.rules = rules;
    this.blockIo = blockIo;
    this.cdi = cdi;
    this.ignored = ignored;
    this.lowestOomScoreAdj = lowestOomScoreAdj;
  }

  /**
   * Looks whether all plugins are there that the container can't be made without.
   *
   * @throws io.keelson.sandbox.error.FailedPreconditionException if one is missing
   */
  void requirePlugins(ContainerContext context, List<Plugin> plugins) {
    rules.require(
        context.pod().config().getAnnotationsMap(),
        context.config().getMetadata().getName(),
        plugins.stream().map(Plugin::identity).toList());
  }

  /**
   * Asks plugins, from now on those who know the container; its cell is locked.
   *
   * @return what they want of other containers
   * @throws OperationFailedException if one refuses, or two want what can't both be
   */
  Updates ask(ContainerContext context, SpecBuilder spec, List<Plugin> plugins) throws IOException {
    PodSandbox pod = PodMessages.of(context.pod());
    Container before = ContainerMessages.beingMade(context, spec.toJson());
    Owners owners = new Owners();
    Adjustments adjustments = new Adjustments(owners, before);
    Updates updates = new Updates(owners, context.id());
    for (Plugin plugin : plugins) {
      plugin.know(context.id());
      Optional<CreateContainerResponse> answer =
          Relay.ask(
              plugin,
              PluginCall.CREATE,
              CreateContainerRequest.newBuilder()
                  .setPod(pod)
                  .setContainer(adjustments.container())
                  .build());
      if (answer.isPresent()) {
        adjustments.take(answer.get().getAdjust(), plugin.label());
        updates.take(answer.get().getUpdateList(), answer.get().getEvictList(), plugin.label());
      }
    }
    ContainerAdjustment wanted = adjustments.wanted();
    rules.judge(before, owners);
    // One that was lost on the way has not done its part.
    requirePlugins(context, plugins.stream().filter(plugin -> !plugin.isGone()).toList());
    validate(pod, before, wanted, updates, owners, plugins);
    apply(context, spec, wanted);
    ignored.tell(before.getId(), context.pod().handler(), wanted.getLinux(), owners);
    return updates;
  }

  private static void validate(
      PodSandbox pod,
      Container before,
      ContainerAdjustment wanted,
      Updates updates,
      Owners owners,
      List<Plugin> plugins) {
    if (plugins.stream().noneMatch(p -> p.wants(Event.VALIDATE_CONTAINER_ADJUSTMENT))) {
      return;
    }
    ValidateContainerAdjustmentRequest.Builder request =
        ValidateContainerAdjustmentRequest.newBuilder()
            .setPod(pod)
            .setContainer(before)
            .setAdjust(wanted)
            .addAllUpdate(updates.updates())
            .setOwners(owners.toMessage());
    for (Plugin plugin : plugins) {
      request.addPlugins(
          PluginInstance.newBuilder()
              .setName(plugin.identity().name())
              .setIndex(plugin.identity().index()));
    }
    for (Plugin plugin : plugins) {
      Optional<ValidateContainerAdjustmentResponse> answer =
          Relay.ask(plugin, PluginCall.VALIDATE, request.build());
      if (answer.isPresent() && answer.get().getReject()) {
        throw new OperationFailedException(
            "NRI plugin %s rejects what plugins made of container %s: %s"
                .formatted(
                    plugin.label(),
                    before.getId(),
                    answer.get().getReason().isEmpty()
                        ? "it gives no reason"
                        : answer.get().getReason()));
      }
    }
  }

  private void apply(ContainerContext context, SpecBuilder spec, ContainerAdjustment wanted)
      throws IOException {
    if (wanted.equals(ContainerAdjustment.getDefaultInstance())) {
      return;
    }
    if (wanted.getCDIDevicesCount() > 0) {
      cdi.inject(
          context, wanted.getCDIDevicesList().stream().map(CDIDevice::getName).toList(), spec);
    }
    LinuxResources resources = wanted.getLinux().getResources();
    if (!wanted.getLinux().getCgroupsPath().isEmpty()) {
      spec.cgroupsPath(wanted.getLinux().getCgroupsPath());
    }
    spec.patch(new SpecAdjuster(wanted, lowestOomScoreAdj));
    String blockIoClass = resources.getBlockioClass().getValue();
    if (!blockIoClass.isEmpty()) {
      spec.patch(classes(blockIoClass).of(blockIoClass));
    }
    if (wanted.getLinux().hasResources()) {
      spec.reportedResources(Resources.over(context.config().getLinux().getResources(), resources));
    }
  }

  private BlockIoClasses classes(String wanted) {
    return blockIo.orElseThrow(
        () ->
            new FailedPreconditionException(
                "an NRI plugin wants block I/O of class \"%s\", and nri.block_io_file names no classes"
                    .formatted(wanted)));
  }
}
