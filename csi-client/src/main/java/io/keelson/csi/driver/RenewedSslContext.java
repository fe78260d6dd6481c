package io.keelson.csi.driver;

import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.netty.buffer.ByteBufAllocator;
import io.grpc.netty.shaded.io.netty.handler.ssl.ApplicationProtocolNegotiator;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContextBuilder;
import io.keelson.sandbox.tls.KeyFiles;
import io.keelson.sandbox.tls.Pem;
import io.keelson.sandbox.tls.Renewed;
import io.keelson.sandbox.tls.SystemTrust;
import io.keelson.sandbox.tls.TlsManagers;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSessionContext;

/** Makes each connection to a driver with the certificates that are in the files at its time. */
final class RenewedSslContext extends SslContext {

  private final Renewed<SslContext> context;

  private RenewedSslContext(Renewed<SslContext> context) {
    this.context = context;
  }

  /**
   * @throws IOException if a file can't be read or is unfit
   */
  static RenewedSslContext open(TlsFiles tls) throws IOException {
    Optional<Path> authority = tls.authority().or(SystemTrust::bundle);
    List<Path> files = new ArrayList<>(authority.stream().toList());
    Optional<KeyFiles> own =
        tls.certificate().flatMap(file -> tls.key().map(key -> new KeyFiles(file, key)));
    own.ifPresent(pair -> files.addAll(List.of(pair.certificate(), pair.key())));
    return new RenewedSslContext(
        Renewed.open("calls to CSI drivers", files, () -> read(authority, own)));
  }

  private static SslContext read(Optional<Path> authority, Optional<KeyFiles> own)
      throws IOException {
    try {
      SslContextBuilder builder =
          GrpcSslContexts.forClient()
              .trustManager(
                  TlsManagers.trust(
                      authority.isPresent()
                          ? Pem.certificates(authority.get())
                          : SystemTrust.authorities(Optional.empty())));
      if (own.isPresent()) {
        builder.keyManager(TlsManagers.keys(List.of(own.get())));
      }
      return builder.build();
    } catch (GeneralSecurityException e) {
      throw new IOException("the authorities that the system trusts: " + e.getMessage(), e);
    }
  }

  @Override
  public SSLEngine newEngine(ByteBufAllocator allocator) {
    return context.current().newEngine(allocator);
  }

  @Override
  public SSLEngine newEngine(ByteBufAllocator allocator, String host, int port) {
    return context.current().newEngine(allocator, host, port);
  }

  @Override
  public boolean isClient() {
    return true;
  }

  @Override
  public List<String> cipherSuites() {
    return context.current().cipherSuites();
  }

  @Override
  @SuppressWarnings("deprecation") // of the class that is implemented
  public ApplicationProtocolNegotiator applicationProtocolNegotiator() {
    return context.current().applicationProtocolNegotiator();
  }

  @Override
  public SSLSessionContext sessionContext() {
    return context.current().sessionContext();
  }
}
