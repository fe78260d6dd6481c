package io.keelson.image.registry.tls;

import javax.net.ssl.SSLSocketFactory;

/**
 * How connections to a host are secured.
 *
 * @param skipVerify whether a certificate may be for another name
 */
public record Tls(SSLSocketFactory sockets, boolean skipVerify) {}
