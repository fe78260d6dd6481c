package io.keelson.sandbox.isolator;

import io.keelson.linux.Commands;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The profile that containers have unless they ask for another one (the resource {@code
 * apparmor-default.profile}). Loaded into the kernel once in the daemon's life, when the first
 * container needs it, so that the one in force is always this version's. Safe for use by many
 * threads.
 */
final class AppArmorDefault {

  static final String NAME = "keelson-default";

  private static final Logger LOG = LoggerFactory.getLogger(AppArmorDefault.class);
  private static final String RESOURCE = "apparmor-default.profile";
  private static final Map<String, String> ENVIRONMENT =
      Map.of("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final int MAX_OUTPUT = 16 * 1024;

  private final Path parser;
  private boolean loaded; // guarded by this

  /**
   * Runs nothing yet.
   *
   * @param parser the program apparmor_parser
   */
  AppArmorDefault(Path parser) {
    this.parser = parser;
  }

  /**
   * Loads the profile if this has not been done yet.
   *
   * @throws IOException with the parser's words
   */
  synchronized void load() throws IOException {
    if (loaded) {
      return;
    }
    // Neither the cache of profiles is read nor written: it is keyed by file, and this is none.
    Commands.Output output =
        Commands.run(
            List.of(parser.toString(), "--replace", "--skip-cache"),
            ENVIRONMENT,
            text(),
            TIMEOUT,
            MAX_OUTPUT);
    if (!output.isSuccess()) {
      throw new IOException(
          "AppArmor profile %s can't be loaded by %s: %s"
              .formatted(NAME, parser, output.stderrText().strip()));
    }
    loaded = true;
    LOG.info("AppArmor profile {} is loaded", NAME);
  }

  private static byte[] text() throws IOException {
    try (InputStream resource = AppArmorDefault.class.getResourceAsStream(RESOURCE)) {
      if (resource == null) {
        throw new FileNotFoundException(RESOURCE);
      }
      return resource.readAllBytes();
    }
  }
}
