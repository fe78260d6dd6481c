package io.keelson.integration.harness;

import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.ClientAuth;
import io.keelson.csi.local.LocalDriver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * The local driver behind TCP and TLS, in the process of the test: whoever calls it shows a
 * certificate of the test's authority. It serves from its making until the end of the class.
 */
public final class TlsDriver implements AfterAllCallback {

  private final Server server;
  private final AtomicInteger calls = new AtomicInteger();

  /**
   * @param root holds its volumes
   * @param certificate that it shows
   * @param key of that certificate
   * @param authority of the certificates that it takes
   */
  public TlsDriver(String name, Path root, Path certificate, Path key, Path authority)
      throws IOException {
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .sslContext(
                GrpcSslContexts.forServer(certificate.toFile(), key.toFile())
                    .trustManager(authority.toFile())
                    .clientAuth(ClientAuth.REQUIRE)
                    .build())
            .executor(Executors.newVirtualThreadPerTaskExecutor());
    new LocalDriver(name, root, "node-1", "0").services().forEach(builder::addService);
    builder.intercept(new Counter(calls));
    server = builder.build().start();
  }

  public String endpoint() {
    return "tcp://127.0.0.1:" + server.getPort();
  }

  /** Calls so far, of whatever kind. */
  public int calls() {
    return calls.get();
  }

  @Override
  public void afterAll(ExtensionContext context) throws InterruptedException {
    server.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
  }

  private record Counter(AtomicInteger calls) implements ServerInterceptor {
    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
        ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
      calls.incrementAndGet();
      return next.startCall(call, headers);
    }
  }
}
