/** Bytes on their way between those who talk to a process in a container and the process. */
@NullMarked
package io.keelson.sandbox.stream;

import org.jspecify.annotations.NullMarked;
