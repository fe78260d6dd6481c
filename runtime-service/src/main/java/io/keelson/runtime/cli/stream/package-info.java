/** The client's side of exec, attach and port-forward. */
@NullMarked
package io.keelson.runtime.cli.stream;

import org.jspecify.annotations.NullMarked;
