/** The speed of this runtime beside that of others, measured over their sockets in one run. */
@org.jspecify.annotations.NullMarked
package io.keelson.integration.benchmark;
