package io.keelson.sandbox.port;

import java.nio.file.Path;

/**
 * An OCI runtime by its name in the configuration.
 *
 * @param name what a pod's runtime_handler says; the default one answers to the empty name too
 * @param binary the runtime's program
 * @param root the runtime's own state folder ({@code --root})
 * @param systemdCgroup containers are systemd scopes ({@code --systemd-cgroup})
 */
public record RuntimeHandler(String name, Path binary, Path root, boolean systemdCgroup) {}
