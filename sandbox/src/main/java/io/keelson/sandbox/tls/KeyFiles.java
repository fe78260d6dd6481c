package io.keelson.sandbox.tls;

import java.nio.file.Path;

/**
 * Who one is: PEM files.
 *
 * @param certificate with those of the authorities between it and the one that is trusted, if any
 * @param key of the certificate, not encrypted
 */
public record KeyFiles(Path certificate, Path key) {}
