package io.keelson.runtime.config;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Puts the configuration together: defaults, then the file, then the flags of the command line. */
public final class ConfigurationLoader {

  /** The file that is read if it exists and no other is named. */
  public static final Path DEFAULT_FILE = Path.of("/etc/keelson/config.toml");

  /** The longest path that fits into sockaddr_un with its final zero byte (unix(7)). */
  private static final int MAX_SOCKET_PATH = 107;

  /** What the daemon appends to the socket's name while it makes the socket. */
  private static final int SOCKET_SUFFIX = 4;

  private ConfigurationLoader() {}

  /**
   * What flags of the command line say; they win over the file.
   *
   * @param file read instead of {@link #DEFAULT_FILE}; must exist
   */
  public record Overrides(
      Optional<Path> file, Optional<Path> root, Optional<Path> state, Optional<Path> socket) {

    public static Overrides none() {
      return new Overrides(Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());
    }
  }

  /** The configuration of a daemon without file and flags. */
  public static Configuration defaults() {
    return Configuration.of(new Values());
  }

  /**
   * Reads the file if there is one, and applies the flags.
   *
   * @throws ConfigurationException with every problem that was found
   */
  public static Configuration load(Overrides overrides) throws ConfigurationException {
    Path file = overrides.file().orElse(DEFAULT_FILE);
    Values values = new Values();
    List<String> problems = new ArrayList<>();
    if (overrides.file().isPresent() || Files.exists(file)) {
      problems.addAll(ConfigurationReader.read(file, values));
    }
    return finish(values, overrides, problems);
  }

  /**
   * As {@link #load}, for a text that is at hand.
   *
   * @param file its name, for messages
   */
  public static Configuration parse(Path file, String text) throws ConfigurationException {
    Values values = new Values();
    return finish(
        values, Overrides.none(), new ArrayList<>(ConfigurationReader.read(file, text, values)));
  }

  private static Configuration finish(Values values, Overrides overrides, List<String> problems)
      throws ConfigurationException {
    override(values, Keys.ROOT, "--root", overrides.root(), problems);
    override(values, Keys.STATE, "--state", overrides.state(), problems);
    override(values, Keys.SOCKET, "--socket", overrides.socket(), problems);
    if (problems.isEmpty()) {
      check(values, problems);
    }
    if (!problems.isEmpty()) {
      throw new ConfigurationException(problems);
    }
    return Configuration.of(values);
  }

  private static void override(
      Values values, Key<Path> key, String flag, Optional<Path> value, List<String> problems) {
    if (value.isPresent()) {
      try {
        values.put(key, value.get().toString(), flag);
      } catch (BadValueException e) {
        problems.add(flag + " " + e.getMessage());
      }
    }
  }

  /** What no key can check alone. */
  private static void check(Values values, List<String> problems) {
    String runtime = values.get(Keys.DEFAULT_RUNTIME);
    if (!values.runtimes().contains(runtime)) {
      problems.add(
          problem(
              values,
              Keys.DEFAULT_RUNTIME,
              "names \""
                  + runtime
                  + "\", but there is no table [runtimes."
                  + runtime
                  + "]; there are "
                  + String.join(", ", values.runtimes())));
    }
    Path socket = values.get(Keys.SOCKET);
    int length = socket.toString().getBytes(StandardCharsets.UTF_8).length;
    if (length > MAX_SOCKET_PATH - SOCKET_SUFFIX) {
      problems.add(
          problem(
              values,
              Keys.SOCKET,
              "must be at most "
                  + (MAX_SOCKET_PATH - SOCKET_SUFFIX)
                  + " bytes long (the kernel's limit for a unix socket), not "
                  + length
                  + ": "
                  + socket));
    }
    Path root = values.get(Keys.ROOT);
    Path state = values.get(Keys.STATE);
    if (root.equals(state)) {
      problems.add(problem(values, Keys.STATE, "must be another folder than root, " + root));
    }
    checkSubnets(values, problems);
    checkStreaming(values, problems);
  }

  private static void checkStreaming(Values values, List<String> problems) {
    boolean cert = values.get(StreamingKeys.TLS_CERT).isPresent();
    if (cert != values.get(StreamingKeys.TLS_KEY).isPresent()) {
      problems.add(
          problem(
              values,
              cert ? StreamingKeys.TLS_CERT : StreamingKeys.TLS_KEY,
              "needs the other of streaming.tls_cert_file and streaming.tls_key_file"));
    }
    if (!cert && values.get(StreamingKeys.TLS_CLIENT_CA).isPresent()) {
      problems.add(
          problem(values, StreamingKeys.TLS_CLIENT_CA, "needs streaming.tls_cert_file, too"));
    }
  }

  private static void checkSubnets(Values values, List<String> problems) {
    if (values.get(NetworkKeys.IPV4_SUBNET).isEmpty()
        && values.get(NetworkKeys.IPV6_SUBNET).isEmpty()) {
      problems.add(
          problem(
              values,
              NetworkKeys.IPV6_SUBNET,
              "must name a subnet when network.ipv4_subnet names none"));
    }
    long mtu = values.get(NetworkKeys.MTU);
    int least = values.get(NetworkKeys.IPV6_SUBNET).isEmpty() ? 68 : 1280;
    if (mtu != 0 && mtu < least) {
      problems.add(
          problem(values, NetworkKeys.MTU, "must be 0 or at least " + least + ", not " + mtu));
    }
  }

  private static String problem(Values values, Key<?> key, String text) {
    String origin = values.origin(key);
    return origin.startsWith("--") ? origin + " " + text : origin + ": " + key.name() + " " + text;
  }
}
