package io.keelson.cni.plugin;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.keelson.cni.plugin.PluginException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The spec versions that plugins support (VERSION; CNI spec 1.1, section 2). A program is asked
 * once, until it is replaced. For one thread.
 */
final class VersionProbe {

  private static final Logger log = LoggerFactory.getLogger(VersionProbe.class);

  /** Libraries of the first plugins demand these for any command. */
  private static final Map<String, String> ENVIRONMENT =
      Map.of("CNI_CONTAINERID", "dummy", "CNI_NETNS", "dummy", "CNI_IFNAME", "dummy");

  private final PluginInvoker invoker;
  private final Duration timeout;
  private final Map<Path, Known> known = new HashMap<>();

  VersionProbe(PluginInvoker invoker, Duration timeout) {
    this.invoker = invoker;
    this.timeout = timeout;
  }

  private record Known(
      @Nullable Object inode, FileTime changed, long size, Set<CniVersion> versions) {

    boolean isOf(BasicFileAttributes file) {
      return new Known(file.fileKey(), file.lastModifiedTime(), file.size(), versions).equals(this);
    }
  }

  /**
   * The versions that this client speaks too; all of them for a plugin that can't tell.
   *
   * @throws PluginException if there is no such plugin
   */
  Set<CniVersion> supportedBy(NetworkConfiguration network, PluginConfiguration plugin)
      throws PluginException {
    PluginCall call =
        new PluginCall(
            network.name(),
            plugin,
            CniCommand.VERSION,
            Json.object().put("cniVersion", CniVersion.V1_1_0.text()),
            ENVIRONMENT,
            timeout);
    Path program = invoker.locate(call);
    BasicFileAttributes file;
    try {
      file = Files.readAttributes(program, BasicFileAttributes.class);
    } catch (IOException e) {
      throw new PluginException(call, Kind.NOT_STARTED, "can't be read: " + e.getMessage(), e);
    }
    Known before = known.get(program);
    if (before != null && before.isOf(file)) {
      return before.versions();
    }
    Set<CniVersion> versions = ask(call);
    known.put(program, new Known(file.fileKey(), file.lastModifiedTime(), file.size(), versions));
    return versions;
  }

  private Set<CniVersion> ask(PluginCall call) {
    Set<CniVersion> versions = EnumSet.noneOf(CniVersion.class);
    try {
      ObjectNode answer = invoker.invoke(call);
      for (JsonNode version : answer.path("supportedVersions")) {
        CniVersion.of(version.asText()).ifPresent(versions::add);
      }
      if (answer.path("supportedVersions").isArray()) {
        return versions;
      }
      log.debug("plugin {} names no supported versions", call.plugin().type());
    } catch (PluginException e) {
      log.debug("plugin {} can't tell its versions", call.plugin().type(), e);
    }
    return EnumSet.allOf(CniVersion.class);
  }
}
