package io.keelson.device.registration;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Takes the plugins of one type. Calls for one name never overlap; calls for different names come
 * in parallel, on threads that may block.
 */
public interface PluginHandler {

  /**
   * Looks at what a plugin says of itself.
   *
   * @param name unique within the type: a driver's or a resource's name
   * @param endpoint the socket that serves the plugin's own API
   * @param versions of that API, as the plugin names them
   * @throws io.keelson.sandbox.error.InvalidRequestException with the reason that the plugin is
   *     told
   */
  void validate(String name, Path endpoint, List<String> versions);

  /**
   * Takes the plugin; one that is there under this name is replaced. Comes also for a plugin that
   * was registered before and made its socket anew.
   *
   * @throws IOException if it can't be reached; the plugin is told and is tried again later
   */
  void register(String name, Path endpoint, List<String> versions) throws IOException;

  /**
   * The plugin's socket is gone. Harmless for one that is unknown, or that serves at another
   * endpoint by now.
   */
  void deregister(String name, Path endpoint);
}
