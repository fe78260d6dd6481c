package io.keelson.cni.plugin;

import io.keelson.cni.plugin.ConfigurationParser.ParsedList;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * The folder of network configurations. Of its files ({@code *.conflist}, {@code *.conf}, {@code
 * *.json}) the first valid one in the order of their names is the network of the pods; a file that
 * can't be used is skipped and told.
 */
final class ConfigurationFolder {

  /** No network needs more; a larger file is a mistake. */
  private static final int MAX_FILE_BYTES = 2 << 20;

  private final Path folder;

  ConfigurationFolder(Path folder) {
    this.folder = folder;
  }

  /**
   * What the folder holds.
   *
   * @param network the first valid one
   * @param broken one sentence for each file (or the folder itself) that could not be used, up to
   *     the network's own
   * @param folders that were read: a change in one of them asks for loading again
   */
  record Contents(Optional<NetworkConfiguration> network, List<String> broken, List<Path> folders) {

    Contents {
      broken = List.copyOf(broken);
      folders = List.copyOf(folders);
    }

    /** Nothing is configured, rightly or wrongly. */
    boolean isEmpty() {
      return network.isEmpty() && broken.isEmpty();
    }
  }

  Path path() {
    return folder;
  }

  Contents load() {
    List<String> broken = new ArrayList<>();
    List<Path> folders = new ArrayList<>(List.of(folder));
    Optional<NetworkConfiguration> network = Optional.empty();
    try {
      for (Path file : files(folder, ConfigurationFolder::isConfiguration)) {
        try {
          network = Optional.of(read(file, folders));
          break;
        } catch (NoSuchFileException e) {
          // deleted since it was listed
        } catch (IOException e) {
          broken.add(file + " " + e.getMessage());
        }
      }
    } catch (IOException e) {
      broken.add(folder + " can't be read: " + e.getMessage());
    }
    return new Contents(network, broken, folders);
  }

  private NetworkConfiguration read(Path file, List<Path> folders) throws IOException {
    var json = Json.parseObject(readBounded(file));
    if (!file.toString().endsWith(".conflist")) {
      return ConfigurationParser.parseSingle(json);
    }
    ParsedList list = ConfigurationParser.parseList(json);
    List<PluginConfiguration> more = new ArrayList<>();
    if (!list.onlyInlined()) {
      Path siblings = folder.resolve(list.name());
      if (Files.isDirectory(siblings)) {
        folders.add(siblings);
      }
      for (Path plugin : files(siblings, name -> name.endsWith(".conf"))) {
        try {
          more.add(ConfigurationParser.parsePlugin(Json.parseObject(readBounded(plugin))));
        } catch (IOException e) {
          throw new IOException("can't be used: " + plugin + " " + e.getMessage(), e);
        }
      }
    }
    return list.with(more);
  }

  private static byte[] readBounded(Path file) throws IOException {
    try (var in = Files.newInputStream(file)) {
      byte[] content = in.readNBytes(MAX_FILE_BYTES + 1);
      if (content.length > MAX_FILE_BYTES) {
        throw new IOException("is larger than " + MAX_FILE_BYTES + " bytes");
      }
      return content;
    } catch (NoSuchFileException e) {
      throw e;
    } catch (IOException e) {
      throw new IOException("can't be read: " + e.getMessage(), e);
    }
  }

  private static boolean isConfiguration(String name) {
    return name.endsWith(".conflist") || name.endsWith(".conf") || name.endsWith(".json");
  }

  /** Sorted by name; none if there is no such folder. */
  private static List<Path> files(Path folder, Predicate<String> wanted) throws IOException {
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> entries =
        Files.newDirectoryStream(folder, path -> wanted.test(String.valueOf(path.getFileName())))) {
      for (Path entry : entries) {
        if (!Files.isDirectory(entry)) {
          files.add(entry);
        }
      }
    } catch (NoSuchFileException e) {
      return List.of();
    }
    files.sort(null);
    return files;
  }
}
