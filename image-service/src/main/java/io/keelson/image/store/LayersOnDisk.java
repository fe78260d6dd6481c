package io.keelson.image.store;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.keelson.image.reference.Digest;
import io.keelson.linux.AtomicFile;
import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.linux.tree.Folder;
import io.keelson.linux.tree.Trees;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * The layers as they lie on the disk: of each a folder with its content, its record, and the blob
 * if that is kept. Those that are erofs images are mounted as long as they are here. Who needs them
 * is not known here; calls for one layer must not overlap.
 */
final class LayersOnDisk {

  static final String CONTENT = "diff";
  static final String BLOB = "blob";
  private static final String RECORD = "layer.json";

  private final StoreFolders folders;
  private final String boot;
  private final ObjectMapper json =
      new ObjectMapper().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);

  /**
   * @param boot the machine's present one
   */
  LayersOnDisk(StoreFolders folders, String boot) {
    this.folders = folders;
    this.boot = boot;
  }

  Path folderOf(Digest chainId) {
    return folders.layers().resolve(chainId.hex());
  }

  /** All that have a folder, whole or not. */
  List<Path> all() throws IOException {
    List<Path> all = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folders.layers())) {
      entries.forEach(all::add);
    }
    return all;
  }

  /**
   * Reads a record at the start, and mounts what is to be mounted.
   *
   * @throws IOException if the layer is not whole, or may not be
   */
  LayerRecord load(Path folder) throws IOException {
    LayerRecord record = read(folder);
    Digest chainId = Digest.parse(Objects.requireNonNull(record.chainId(), "chainId"));
    if (!folder.equals(folderOf(chainId)) || !Files.isDirectory(folder.resolve(CONTENT))) {
      throw new IOException("the record is of another layer, or its content is missing");
    }
    if (record.writtenInBoot() != null && !record.writtenInBoot().equals(boot)) {
      throw new IOException("the machine went down before the layer was on the disk");
    }
    if (record.erofs()) {
      ErofsLayer.mount(folder);
    }
    return record;
  }

  /** Deletes what {@link #load} refused. */
  void drop(Path folder) throws IOException {
    ErofsLayer.unmount(folder.resolve(CONTENT));
    folders.delete(folders.takeOut(folder), 0, 0);
  }

  LayerRecord read(Digest chainId) throws IOException {
    return read(folderOf(chainId));
  }

  LayerRecord read(Path folder) throws IOException {
    return json.readValue(Files.readAllBytes(folder.resolve(RECORD)), LayerRecord.class);
  }

  /** Replaces a record; a crash of the machine leaves the old one or this. */
  void write(LayerRecord record) throws IOException {
    write(folderOf(Digest.parse(record.chainId())), record);
  }

  private void write(Path folder, LayerRecord record) throws IOException {
    AtomicFile.write(folder.resolve(RECORD), json.writeValueAsBytes(record), false);
  }

  /** What a layer with this record is. */
  Layer layer(LayerRecord record) {
    Digest chainId = Digest.parse(record.chainId());
    Path content =
        record.host() == null ? folderOf(chainId).resolve(CONTENT) : Path.of(record.host());
    Trees.Usage usage = record.usage();
    return new Layer(chainId, content, record.bytes(), usage.bytes(), usage.inodes());
  }

  /** Finds out whether layers can be packed on this host; see {@link LayerStore#checkPacking}. */
  void checkPacking() throws IOException {
    Path scratch = folders.newIngest();
    try {
      ErofsLayer.check(scratch);
    } finally {
      folders.discard(scratch);
    }
  }

  /** A place to make one in. */
  NewLayer begin() throws IOException {
    NewLayer layer = new NewLayer(folders, folders.newIngest());
    try {
      Files.createDirectory(layer.content());
    } catch (IOException e) {
      layer.close();
      throw e;
    }
    return layer;
  }

  /** Gives a layer that is being made its record; it is the last of its files. */
  void complete(NewLayer made, LayerRecord record) throws IOException {
    write(made.folder(), record);
  }

  /** Makes it one of those that are here. */
  void publish(NewLayer made, LayerRecord record) throws IOException {
    Path folder = folderOf(Digest.parse(record.chainId()));
    StoreFolders.publish(made.folder(), folder);
    made.published();
    if (record.erofs()) {
      try {
        ErofsLayer.mount(folder);
      } catch (IOException e) {
        folders.delete(folders.takeOut(folder), 0, 0);
        throw e;
      }
    }
  }

  /** Takes one out, of which nothing is in use; its space comes back by {@link #delete}. */
  Path takeOut(Digest chainId, boolean mounted) throws IOException {
    Path folder = folderOf(chainId);
    if (!mounted) {
      return folders.takeOut(folder);
    }
    ErofsLayer.unmount(folder.resolve(CONTENT));
    try {
      return folders.takeOut(folder);
    } catch (IOException e) {
      ErofsLayer.mount(folder);
      throw e;
    }
  }

  /** Has what was taken out deleted. */
  void delete(Path taken, Layer layer) {
    folders.delete(taken, layer.bytes(), layer.inodes());
  }

  /**
   * What a layer takes: what unpacking counted is near the truth, but a file system knows better,
   * once it has all. Empty if it was removed meanwhile.
   */
  Optional<Trees.Usage> measure(Digest chainId) throws IOException {
    try (Folder opened = Folder.open(folderOf(chainId))) {
      return Optional.of(Trees.usage(opened));
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT)) {
        return Optional.empty();
      }
      throw e;
    }
  }
}
