package io.keelson.cni.plugin;

import io.keelson.linux.AtomicFile;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;

/**
 * The attachments on disk, one file for each pod, named after its sandbox. A file is there from
 * before the first plugin of an ADD runs until after the last one of the DEL has succeeded. Calls
 * for one pod must not overlap.
 */
final class AttachmentCache {

  private static final String SUFFIX = ".json";

  private final Path folder;

  AttachmentCache(Path folder) throws IOException {
    this.folder = Files.createDirectories(folder);
  }

  boolean contains(String sandboxId) {
    return Files.exists(file(sandboxId));
  }

  /**
   * Before the first plugin runs: a daemon that is killed from now on finds it when it starts
   * again.
   *
   * @return done when it survives a loss of power too. Plugins keep addresses on disk, and then
   *     only this file says that they must be given back. An fsync takes milliseconds, so plugins
   *     may run meanwhile, but nobody may hear of the attachment before
   */
  Future<?> begin(CachedAttachment attempt) throws IOException {
    Path file = file(attempt.parameters().containerId());
    AtomicFile.write(file, attempt.toBytes(), false);
    FutureTask<Path> sync =
        new FutureTask<>(
            () -> {
              sync(file);
              sync(folder);
              return file;
            });
    Thread.startVirtualThread(sync);
    return sync;
  }

  private static void sync(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  /**
   * After the last plugin. What a loss of power makes of the result does not matter: the pod is
   * gone too.
   */
  void complete(CachedAttachment attachment) throws IOException {
    AtomicFile.write(file(attachment.parameters().containerId()), attachment.toBytes(), false);
  }

  /**
   * @throws IOException if there is something that can't be read; the message names the file
   */
  Optional<CachedAttachment> find(String sandboxId) throws IOException {
    Path file = file(sandboxId);
    byte[] content;
    try {
      content = Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
    try {
      return Optional.of(CachedAttachment.parse(content));
    } catch (IOException e) {
      throw new IOException(file + " " + e.getMessage(), e);
    }
  }

  void remove(String sandboxId) throws IOException {
    Files.deleteIfExists(file(sandboxId));
  }

  /** The sandboxes that have an attachment, readable or not. */
  List<String> sandboxIds() throws IOException {
    List<String> ids = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "[!.]*" + SUFFIX)) {
      for (Path file : files) {
        String name = String.valueOf(file.getFileName());
        ids.add(name.substring(0, name.length() - SUFFIX.length()));
      }
    }
    return ids;
  }

  private Path file(String sandboxId) {
    return folder.resolve(sandboxId + SUFFIX);
  }
}
