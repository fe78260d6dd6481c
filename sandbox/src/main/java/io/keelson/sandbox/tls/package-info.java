/** Certificates and keys in files: what the parts of the daemon that speak TLS have in common. */
@NullMarked
package io.keelson.sandbox.tls;

import org.jspecify.annotations.NullMarked;
