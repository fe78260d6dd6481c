package io.keelson.sandbox.port;

import java.nio.file.Path;
import java.util.Optional;

/**
 * What a {@link Launcher} must know of a container. The bundle holds config.json; the launcher
 * keeps its pid files, sockets and fifos there too.
 *
 * @param containerId unique, at most 64 hexadecimal digits
 * @param handler the OCI runtime that runs it
 * @param bundle the folder of config.json, below the daemon's state folder
 * @param exitFile where the exit code appears, as decimal text, when the init process has ended
 * @param logFile the log in the CRI format, or empty for none
 * @param terminal the workload gets a pseudo terminal
 * @param stdin the workload's standard input stays open for attach
 * @param stdinOnce standard input closes when the first attach ends
 * @param foreignUser the workload does not begin as the node's root
 * @param restoreFrom the folder of a checkpoint's images ({@link Launcher#checkpoint}) with which
 *     the processes go on in place of the workload that the spec says; empty for a new workload
 */
public record LaunchRequest(
    String containerId,
    RuntimeHandler handler,
    Path bundle,
    Path exitFile,
    Optional<Path> logFile,
    boolean terminal,
    boolean stdin,
    boolean stdinOnce,
    boolean foreignUser,
    Optional<Path> restoreFrom) {}
