/**
 * gRPC over unix sockets for the parts that talk to plugins: channels to them, and small servers
 * that they call.
 */
@NullMarked
package io.keelson.sandbox.rpc;

import org.jspecify.annotations.NullMarked;
