package io.keelson.sandbox.launch;

import io.keelson.linux.Commands;
import io.keelson.linux.Commands.Output;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Asks OCI runtimes for their features, each one once as long as its program is the same. */
public final class RuntimeFeatureProbe {

  private static final Logger LOG = LoggerFactory.getLogger(RuntimeFeatureProbe.class);
  private static final int MAX_OUTPUT = 1 << 20;

  private record Known(FileTime changed, RuntimeFeatures features) {}

  private final Duration timeout;
  private final Map<Path, Known> known = new ConcurrentHashMap<>();

  /**
   * @param timeout for one question
   */
  public RuntimeFeatureProbe(Duration timeout) {
    this.timeout = timeout;
  }

  /**
   * The features of this program; those of an old one if it does not answer.
   *
   * @throws IOException if it is not there
   */
  public RuntimeFeatures of(Path binary) throws IOException {
    FileTime changed = Files.getLastModifiedTime(binary);
    Known before = known.get(binary);
    if (before != null && before.changed().equals(changed)) {
      return before.features();
    }
    RuntimeFeatures features = ask(binary); // twice at worst; nobody waits for another's runtime
    known.put(binary, new Known(changed, features));
    return features;
  }

  private RuntimeFeatures ask(Path binary) {
    try {
      Output output =
          Commands.run(
              List.of(binary.toString(), "features"),
              OciRuntime.ENVIRONMENT,
              new byte[0],
              timeout,
              MAX_OUTPUT);
      if (output.isSuccess()) {
        return RuntimeFeatures.of(output.stdout());
      }
    } catch (IOException e) {
      LOG.atDebug().addKeyValue("runtime", binary).setCause(e).log("no features are told");
    }
    return RuntimeFeatures.UNTOLD;
  }
}
