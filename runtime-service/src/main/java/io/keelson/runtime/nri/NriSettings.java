package io.keelson.runtime.nri;

import java.nio.file.Path;
import java.time.Duration;

/**
 * How plugins are found and how long they may take.
 *
 * @param socket where plugins connect
 * @param pluginFolder programs named {@code NN-name} that are started with the daemon
 * @param configFolder their configuration: {@code NN-name.conf}, else {@code name.conf}
 * @param registrationTimeout from the connection to the registration, and for the synchronisation
 * @param requestTimeout for one call of one plugin
 */
public record NriSettings(
    Path socket,
    Path pluginFolder,
    Path configFolder,
    Duration registrationTimeout,
    Duration requestTimeout) {}
