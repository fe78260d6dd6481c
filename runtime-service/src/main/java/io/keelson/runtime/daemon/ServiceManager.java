package io.keelson.runtime.daemon;

import io.keelson.linux.Fd;
import io.keelson.linux.UnixSocket;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the service manager that started the daemon how far it is: sd_notify(3), for units of
 * {@code Type=notify}. Does nothing where no service manager wants to know. Safe for use by many
 * threads.
 */
public final class ServiceManager {

  private static final Logger LOG = LoggerFactory.getLogger(ServiceManager.class);

  private final Optional<String> socket;

  /**
   * @param socket the value of {@code NOTIFY_SOCKET}
   */
  public ServiceManager(Optional<String> socket) {
    this.socket = socket.filter(name -> name.startsWith("/") || name.startsWith("@"));
  }

  /** Calls are answered from now on. */
  public void ready() {
    tell("READY=1");
  }

  /** The daemon has begun to end. */
  public void stopping() {
    tell("STOPPING=1");
  }

  private void tell(String state) {
    if (socket.isEmpty()) {
      return;
    }
    try (Fd connection = UnixSocket.connectDatagrams(socket.get())) {
      byte[] message = state.getBytes(StandardCharsets.US_ASCII);
      connection.write(message, 0, message.length);
    } catch (IOException e) {
      LOG.atWarn()
          .setCause(e)
          .addKeyValue("state", state)
          .log("the service manager can't be told how far the daemon is");
    }
  }
}
