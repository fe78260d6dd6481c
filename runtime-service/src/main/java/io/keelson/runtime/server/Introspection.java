package io.keelson.runtime.server;

import io.grpc.BindableService;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;

/**
 * What gRPC's own tools ask of any server: its health (grpc.health.v1), which is SERVING when
 * recovery has ended, and which services it has (server reflection).
 */
public final class Introspection {

  private final HealthStatusManager health = new HealthStatusManager();

  /** Not serving yet. */
  public Introspection() {
    health.setStatus(HealthStatusManager.SERVICE_NAME_ALL_SERVICES, ServingStatus.NOT_SERVING);
  }

  public BindableService health() {
    return health.getHealthService();
  }

  public BindableService reflection() {
    return ProtoReflectionServiceV1.newInstance();
  }

  /** Every call is answered as its service can from now on. */
  public void serving() {
    for (String service :
        new String[] {
          HealthStatusManager.SERVICE_NAME_ALL_SERVICES,
          "runtime.v1.RuntimeService",
          "runtime.v1.ImageService"
        }) {
      health.setStatus(service, ServingStatus.SERVING);
    }
  }
}
