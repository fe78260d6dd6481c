package io.keelson.runtime.nri;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import io.keelson.proto.nri.v1alpha1.ConfigureRequest;
import io.keelson.proto.nri.v1alpha1.ContainerUpdate;
import io.keelson.proto.nri.v1alpha1.Empty;
import io.keelson.proto.nri.v1alpha1.RegisterPluginRequest;
import io.keelson.proto.nri.v1alpha1.UpdateContainersRequest;
import io.keelson.proto.nri.v1alpha1.UpdateContainersResponse;
import io.keelson.runtime.ProductVersion;
import io.keelson.runtime.nri.PluginIdentity.Origin;
import io.keelson.runtime.nri.ttrpc.Peer;
import io.keelson.runtime.nri.ttrpc.StatusException;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A plugin's way in: it registers, is configured, is told what there is, and from then on takes
 * part. Also answers what the plugin asks of the runtime.
 */
final class PluginSession {

  /**
   * Of the contract that is spoken; a plugin's library may ask whether it is new enough. Not that
   * of this product.
   */
  private static final String NRI_VERSION = "v0.12.0";

  private static final String RUNTIME = "nri.pkg.api.v1alpha1.Runtime/";
  private static final Logger LOG = LoggerFactory.getLogger(PluginSession.class);

  private final NriSettings settings;
  private final Synchronization synchronization;
  private final NodeAccess node;
  private final PluginMeter meter;
  private final @Nullable PluginIdentity started;
  private final String config;
  private final Peer peer;
  private final CompletableFuture<PluginIdentity> registered = new CompletableFuture<>();
  private volatile boolean ready;

  /**
   * A session over a connected socket.
   *
   * @param started who it is if it was started here; null for one that connected
   * @param config its configuration
   */
  PluginSession(
      NriSettings settings,
      Synchronization synchronization,
      NodeAccess node,
      PluginMeter meter,
      SocketChannel socket,
      @Nullable PluginIdentity started,
      String config) {
    this.settings = settings;
    this.synchronization = synchronization;
    this.node = node;
    this.meter = meter;
    this.started = started;
    this.config = config;
    this.peer = new Peer(socket, "nri-plugin");
  }

  Peer peer() {
    return peer;
  }

  /**
   * Lets the plugin in; returns when it takes part, or never will.
   *
   * @return the plugin if it takes part
   */
  Optional<Plugin> begin() {
    peer.open("nri-plugin", this::answer);
    String who = started == null ? "a connected plugin" : started.label();
    try {
      PluginIdentity identity =
          registered.get(settings.registrationTimeout().toMillis(), TimeUnit.MILLISECONDS);
      who = identity.label();
      Plugin plugin = new Plugin(identity, peer, settings, meter);
      plugin.configure(
          ConfigureRequest.newBuilder()
              .setConfig(config)
              .setRuntimeName("keelson")
              .setRuntimeVersion(ProductVersion.current())
              .setNRIVersion(NRI_VERSION)
              .setRegistrationTimeout(settings.registrationTimeout().toMillis())
              .setRequestTimeout(settings.requestTimeout().toMillis())
              .build());
      List<ContainerUpdate> updates = synchronization.attach(plugin);
      ready = true;
      LOG.atInfo()
          .addKeyValue("plugin", plugin.label())
          .addKeyValue("events", plugin.events().size())
          .log("NRI plugin takes part");
      var _ = node.apply(updates, "synchronisation of " + plugin.label());
      return Optional.of(plugin);
    } catch (TimeoutException e) {
      refuse(
          who, "it did not register within " + settings.registrationTimeout().toMillis() + " ms");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      refuse(who, "interrupted");
    } catch (ExecutionException e) {
      refuse(who, String.valueOf(e.getCause()));
    } catch (IOException | StatusException | PluginRefusedException e) {
      refuse(who, String.valueOf(e.getMessage()));
    }
    return Optional.empty();
  }

  private void refuse(String who, String why) {
    LOG.atWarn()
        .addKeyValue("plugin", who)
        .addKeyValue("why", why)
        .log("NRI plugin does not take part");
    peer.close(new IOException(why));
  }

  private MessageLite answer(String method, ByteString payload)
      throws StatusException, InvalidProtocolBufferException {
    return switch (method) {
      case RUNTIME + "RegisterPlugin" -> register(RegisterPluginRequest.parseFrom(payload));
      case RUNTIME + "UpdateContainers" -> update(UpdateContainersRequest.parseFrom(payload));
      default -> throw new StatusException(StatusException.UNIMPLEMENTED, "no method " + method);
    };
  }

  private MessageLite register(RegisterPluginRequest request) throws StatusException {
    if (started != null) {
      registered.complete(started); // whatever it calls itself
      return Empty.getDefaultInstance();
    }
    try {
      registered.complete(
          new PluginIdentity(request.getPluginIdx(), request.getPluginName(), Origin.CONNECTED));
      return Empty.getDefaultInstance();
    } catch (IllegalArgumentException e) {
      registered.completeExceptionally(e);
      throw new StatusException(StatusException.INVALID_ARGUMENT, String.valueOf(e.getMessage()));
    }
  }

  private MessageLite update(UpdateContainersRequest request) throws StatusException {
    if (!ready) {
      throw new StatusException(
          StatusException.FAILED_PRECONDITION, "the plugin has not been synchronized yet");
    }
    String reason = "by request of " + registered.join().label();
    List<ContainerUpdate> failed = node.apply(request.getUpdateList(), reason);
    node.evict(request.getEvictList(), reason);
    return UpdateContainersResponse.newBuilder().addAllFailed(failed).build();
  }
}
