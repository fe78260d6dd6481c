package io.keelson.image.archive;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.image.fixture.TreeListing;
import io.keelson.linux.tree.FileStatus;
import io.keelson.linux.tree.Folder;
import io.keelson.linux.tree.NewFile;
import io.keelson.linux.tree.Timestamp;
import io.keelson.linux.tree.TransferBuffer;
import io.keelson.linux.tree.Trees;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is unpacked here is what GNU tar unpacks, to the last attribute and nanosecond. */
class GnuTarComparisonTest {

  /** A capability, as the kernel takes it: cap_net_bind_service+ep. */
  private static final byte[] CAPABILITY = {
    1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
  };

  @TempDir Path temporary;
  private Path source;

  @BeforeEach
  void makeTree() throws IOException {
    source = Files.createDirectory(temporary.resolve("source"));
    byte[] content = new byte[300_000];
    new Random(1).nextBytes(content);
    try (Folder root = Folder.open(source);
        TransferBuffer buffer = new TransferBuffer()) {
      root.createFolder("dir", 0755);
      root.inode("dir").setOwner(1000, 100);
      root.inode("dir").setPermissions(03771);
      try (Folder dir = root.openFolder("dir")) {
        file(dir, "empty", new byte[0], 0, 0, 0600, buffer);
        file(dir, "setuid", content, 1000, 1000, 04755, buffer);
        file(dir, "big-owner", content, 3_000_000, 2_000_000_000, 0644, buffer);
        file(dir, "\u00c3\u00bcml\u00e4ut \n\t", content, 0, 0, 0644, buffer);
        file(dir, "\u00ff\u00fe", content, 0, 0, 0, buffer);
        dir.createSymbolicLink("absolute", "/etc/passwd");
        dir.createSymbolicLink("dangling", "nothing");
        dir.createSymbolicLink("long", "t/".repeat(150) + "end");
        dir.createHardLink("hard", dir, "setuid");
        dir.createNode("null", FileStatus.S_IFCHR | 0666, 1, 3);
        dir.createNode("disk", FileStatus.S_IFBLK | 0660, 259, 70_000);
        dir.createNode("fifo", FileStatus.S_IFIFO | 0622, 0, 0);
        dir.inode("dangling")
            .setTimes(new Timestamp(1, 5), new Timestamp(2_000_000_000, 999_999_999));
      }
      try (NewFile sparse = root.createFile("sparse")) {
        sparse.skip(1 << 20);
        sparse.write(content, 0, content.length, buffer);
        sparse.skip(5 << 20);
        sparse.write(content, 0, 10, buffer);
        sparse.setSize(20 << 20);
      }
      try (NewFile many = root.createFile("sparse-many")) {
        for (int i = 0; i < 40; i++) {
          many.write(content, i, 5000, buffer);
          many.skip(100_000);
        }
        many.setSize(5 << 20);
      }
      try (NewFile hole = root.createFile("hole")) {
        hole.setSize(3 << 20);
      }
      file(root, "n".repeat(255), content, 0, 0, 0644, buffer);
      root.inode("dir").setTimes(new Timestamp(0, 0), new Timestamp(1_234_567_890, 123_456_789));
    }
    Path deep = source;
    for (int i = 0; i < 12; i++) {
      deep = Files.createDirectory(deep.resolve("deep-folder-" + "x".repeat(30) + i));
      Files.writeString(deep.resolve("file" + i), "content " + i);
    }
  }

  @AfterEach
  void deleteTrees() throws IOException {
    try (Folder folder = Folder.open(temporary)) {
      for (String name : folder.list()) {
        Trees.delete(folder, name);
      }
    }
  }

  private static void file(
      Folder folder, String name, byte[] content, int uid, int gid, int mode, TransferBuffer buffer)
      throws IOException {
    try (NewFile file = folder.createFile(name)) {
      file.write(content, 0, content.length, buffer);
      file.setOwner(uid, gid);
      file.setPermissions(mode);
      file.setTimes(new Timestamp(5, 6), new Timestamp(1_500_000_000 + mode, 7));
    }
  }

  private void addAttributes() throws IOException {
    try (Folder root = Folder.open(source);
        Folder dir = root.openFolder("dir")) {
      dir.inode("setuid").setAttribute("security.capability", CAPABILITY);
      dir.inode("empty").setAttribute("user.note", "a=b\nc".getBytes(StandardCharsets.UTF_8));
      dir.inode("empty").setAttribute("user.binary", new byte[] {0, 1, (byte) 255, '\n'});
      root.inode("dir").setAttribute("user.folder", new byte[0]);
      root.inode("dir").setAttribute("user.folder", "x".getBytes(StandardCharsets.UTF_8));
    }
  }

  private void addAccessControlLists() throws IOException {
    try (Folder root = Folder.open(source);
        Folder dir = root.openFolder("dir")) {
      // Users and groups without a name here: u::rw-,u:4242960:rwx,g::r--,g:70000:-w-,m::rwx,o::r--
      byte[] list =
          HexFormat.of()
              .parseHex(
                  "02000000"
                      + "01000600ffffffff"
                      + "0200070010ba4000"
                      + "04000400ffffffff"
                      + "0800020070110100"
                      + "10000700ffffffff"
                      + "20000400ffffffff");
      dir.inode("empty").setAttribute("system.posix_acl_access", list);
      root.inode("dir").setAttribute("system.posix_acl_default", list);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--format=pax --xattrs --xattrs-include=* --sparse --sparse-version=1.0",
        "--format=pax --xattrs --xattrs-include=* --sparse --sparse-version=0.1",
        "--format=pax --xattrs --xattrs-include=* --sparse --sparse-version=0.0",
        "--format=pax --acls --numeric-owner",
        "--format=pax",
        "--format=gnu --sparse",
        "--format=gnu",
        "--format=oldgnu --sparse"
      })
  void treeIsTheSame(String options) throws Exception {
    if (options.contains("xattrs")) {
      addAttributes();
    }
    if (options.contains("acls")) {
      addAccessControlLists();
    }
    Path tar = temporary.resolve("layer.tar");
    List<String> command = new ArrayList<>(List.of("tar", "-C", source.toString()));
    command.addAll(List.of(options.split(" ", -1)));
    command.addAll(List.of("-cf", tar.toString(), "."));
    run(command);

    Path theirs = Files.createDirectory(temporary.resolve("theirs"));
    run(
        List.of(
            "tar",
            "-C",
            theirs.toString(),
            "--xattrs",
            "--xattrs-include=*",
            "--acls",
            "--same-owner",
            "--numeric-owner",
            "-xpf",
            tar.toString()));
    Path ours = Files.createDirectory(temporary.resolve("ours"));
    try (Folder root = Folder.open(ours);
        InputStream in = new BufferedInputStream(Files.newInputStream(tar));
        LayerExtractor extractor = new LayerExtractor(root, UnpackLimits.DEFAULT, -1)) {
      extractor.extract(new TarReader(new StreamFeed(in)));
    }

    Map<String, String> expected = TreeListing.of(theirs);
    assertThat(TreeListing.of(ours)).isEqualTo(expected);
    if (options.contains("acls")) {
      assertThat(expected.get("/dir/empty")).contains("posix_acl_access");
      assertThat(expected.get("/dir")).contains("posix_acl_default");
    }
    if (options.contains("pax")) {
      assertThat(expected.get("/dir")).contains("nanoseconds=123456789");
    }
  }

  private static void run(List<String> command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as("%s: %s", command, output).isZero();
  }
}
