package io.keelson.linux.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.linux.ErrnoException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TreesTest {

  @TempDir Path temporary;

  /** Opens a descriptor for each level, or overflows the stack, if depth is not bounded. */
  @Test
  void treeDeeperThanAnyPathIsDeleted() throws IOException {
    Path victim = Files.createDirectory(temporary.resolve("victim"));
    Folder at = Folder.open(victim);
    for (int i = 0; i < 3000; i++) {
      at.createFolder("d", 0700);
      Folder next = at.openFolder("d");
      at.close();
      at = next;
    }
    at.close();
    try (Folder parent = Folder.open(temporary)) {
      Trees.delete(parent, "victim");
      Trees.delete(parent, "victim");
      assertThat(parent.list()).isEmpty();
    }
  }

  @Test
  void linksAreDeletedAndNotFollowed() throws IOException {
    Path outside = Files.createDirectory(temporary.resolve("outside"));
    Files.writeString(outside.resolve("canary"), "alive");
    Path victim = Files.createDirectory(temporary.resolve("victim"));
    Files.createSymbolicLink(victim.resolve("link"), outside);
    Files.createLink(victim.resolve("hard"), outside.resolve("canary"));
    try (Folder parent = Folder.open(temporary)) {
      Trees.delete(parent, "victim");
    }
    assertThat(victim).doesNotExist();
    assertThat(outside.resolve("canary")).hasContent("alive");
  }

  @Test
  void permissionsOfALinksTargetStay() throws IOException {
    Path target = Files.writeString(temporary.resolve("target"), "");
    Files.setAttribute(target, "unix:mode", 0600);
    Files.createSymbolicLink(temporary.resolve("link"), target);
    try (Folder folder = Folder.open(temporary)) {
      assertThatThrownBy(() -> folder.inode("link").setPermissionsNoFollow(0777))
          .isInstanceOf(ErrnoException.class);
      assertThat(folder.status("target").orElseThrow().permissions()).isEqualTo(0600);
      folder.inode("target").setPermissionsNoFollow(0640);
      assertThat(folder.status("target").orElseThrow().permissions()).isEqualTo(0640);
    }
  }

  @Test
  void usageCountsAnInodeOnce() throws IOException {
    Files.write(temporary.resolve("file"), new byte[10_000]);
    Files.createLink(temporary.resolve("again"), temporary.resolve("file"));
    try (Folder folder = Folder.open(temporary)) {
      Trees.Usage usage = Trees.usage(folder);
      assertThat(usage.inodes()).isEqualTo(2);
      assertThat(usage.bytes()).isBetween(10_000L, 40_000L);
    }
  }

  @Test
  void deviceNumbersAreMadeAsTheyAreRead() throws IOException {
    try (Folder folder = Folder.open(temporary)) {
      folder.createNode("node", FileStatus.S_IFBLK | 0600, 4000, 1_000_000);
      FileStatus status = folder.status("node").orElseThrow();
      assertThat(status.major()).isEqualTo(4000);
      assertThat(status.minor()).isEqualTo(1_000_000);
      assertThat(status.isWhiteout()).isFalse();
    }
  }
}
