package io.keelson.runtime.cli;

import io.keelson.proto.cri.v1.PodSandbox;
import io.keelson.proto.cri.v1.RemovePodSandboxRequest;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/** The pods that {@code keelson run} makes, and what is known of them by their annotations. */
final class RunPod {

  /** Where {@code keelson run} keeps the logs of its containers. */
  static final Path LOGS = Path.of("/var/log/keelson");

  /** Says that the log folder is this command line's to delete, as a kubelet deletes its own. */
  static final String LOG_FOLDER = "io.keelson.cli/log-folder";

  private RunPod() {}

  /** Removes a pod with its containers, and its log folder if {@code keelson run} made it. */
  static void remove(CriClient daemon, PodSandbox pod) throws IOException {
    remove(daemon, pod.getId());
    String folder = pod.getAnnotationsOrDefault(LOG_FOLDER, "");
    if (!folder.isEmpty()) {
      deleteLogs(Path.of(folder));
    }
  }

  static void remove(CriClient daemon, String podId) {
    daemon
        .runtime()
        .removePodSandbox(RemovePodSandboxRequest.newBuilder().setPodSandboxId(podId).build());
  }

  /**
   * Deletes a folder directly below {@link #LOGS}, and nothing that an annotation may say instead.
   */
  static void deleteLogs(Path folder) throws IOException {
    Path parent = folder.normalize().getParent();
    if (!LOGS.equals(parent) || Files.notExists(folder)) {
      return;
    }
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException failure)
              throws IOException {
            Files.delete(directory);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
