package io.keelson.runtime.cli;

/** What the exit codes of the command line mean; {@code keelson --help} tells them too. */
final class ExitCode {

  static final int OK = 0;

  /** The daemon or the host could not do it. */
  static final int FAILED = 1;

  /** The command line is wrong, or the configuration is. */
  static final int USAGE = 2;

  /** There is no pod, container or image of this name or id. */
  static final int NOT_FOUND = 3;

  /** No daemon answers on the socket, or it is not ready yet. */
  static final int UNREACHABLE = 4;

  /** It took longer than it was given. */
  static final int TIMED_OUT = 5;

  /** {@code run} and {@code exec}, whose other codes are the command's own, failed themselves. */
  static final int NOT_RUN = 125;

  private ExitCode() {}
}
