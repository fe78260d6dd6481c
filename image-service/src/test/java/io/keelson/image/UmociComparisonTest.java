package io.keelson.image;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.image.fixture.LayerTar;
import io.keelson.image.fixture.TestImage;
import io.keelson.image.fixture.TreeListing;
import io.keelson.image.request.Cancellation;
import io.keelson.image.request.PullProgress;
import io.keelson.linux.tree.Folder;
import io.keelson.linux.tree.Trees;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The same image, unpacked here and by skopeo and umoci. */
class UmociComparisonTest {

  /** As the kernel takes it: cap_net_bind_service+ep. */
  private static final byte[] CAPABILITY =
      HexFormat.of().parseHex("0100000200040000000000000000000000000000");

  /** u::rw-,u:1000:r--,g::r--,m::r--,o::r-- . */
  private static final byte[] ACCESS =
      HexFormat.of()
          .parseHex(
              "02000000"
                  + "01000600ffffffff"
                  + "02000400e8030000"
                  + "04000400ffffffff"
                  + "10000400ffffffff"
                  + "20000400ffffffff");

  @TempDir Path folder;

  @AfterEach
  void delete() throws IOException {
    try (Folder opened = Folder.open(folder)) {
      for (String name : opened.list()) {
        Trees.delete(opened, name);
      }
    }
  }

  static TestImage image() {
    String longName = "n".repeat(120);
    LayerTar lower =
        new LayerTar()
            .folder("bin/", 0755)
            .file("bin/tool", 04755, new byte[100_000], entry -> entry.setIds(3, 70_000_000))
            .hardLink("bin/again", "bin/tool")
            .symbolicLink("bin/link", "../etc/none")
            .folder("etc/", 0750, entry -> entry.setIds(1000, 1000))
            .file("etc/kept", "kept")
            .file("etc/replaced", "old")
            .file("etc/gone", "x")
            .folder("opaque/", 0755)
            .file("opaque/below", "x")
            .folder("becomes-file/", 0755)
            .file("becomes-file/below", "x")
            .file("becomes-folder", "x")
            .folder("tmp/", 01777)
            .device("null", 1, 3)
            .fifo("fifo")
            .folder("deep/", 0755)
            .folder("deep/" + longName + "/", 0700)
            .folder("deep/" + longName + "/" + longName + "/", 0711)
            .file("deep/" + longName + "/" + longName + "/" + longName, "deep")
            .withPax(
                "attributes",
                "x",
                Map.of("SCHILY.xattr.user.note", "a=b", "mtime", "1234567890.123456789"));
    LayerTar upper =
        new LayerTar()
            .folder("etc/", 0711)
            .file("etc/replaced", "new")
            .file("etc/.wh.gone", "")
            .folder("opaque/", 0700)
            .file("opaque/.wh..wh..opq", "")
            .file("opaque/above", "y")
            .file("becomes-file", "now a file")
            .folder("becomes-folder/", 0755)
            .file("becomes-folder/in", "z")
            .hardLink("etc/same-layer", "etc/replaced")
            .symbolicLink("null", "fifo");
    LayerTar third = new LayerTar().file(".wh.bin", "").file("etc/third", "3");
    return TestImage.of(lower, upper, third, unusual());
  }

  /** What no ordinary layer has. */
  private static LayerTar unusual() {
    String far = "far/" + "f".repeat(200);
    return new LayerTar()
        .withAttribute("capable", 0755, "security.capability", CAPABILITY)
        .withAttribute("listed", 0644, "system.posix_acl_access", ACCESS)
        .hardLink("capable-too", "capable")
        .folder("far/", 0755)
        .file(far, "far")
        .hardLink("near", far)
        .withPax(
            "times",
            "x",
            Map.of(
                "mtime", "4000000000.000000001",
                "atime", "1.999999999",
                "uid", "2000000000",
                "gid", "3000000"))
        .withPax(
            "GNUSparseFile.0/sparse",
            "2\n1048576\n5\n3145728\n0\n" + "\0".repeat(490) + "bytes",
            Map.of(
                "GNU.sparse.major", "1",
                "GNU.sparse.minor", "0",
                "GNU.sparse.name", "sparse",
                "GNU.sparse.realsize", "3145728"));
  }

  private static void run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as("%s: %s", List.of(command), said).isZero();
  }

  @Test
  void theTreesAreTheSame() throws Exception {
    Path archive = folder.resolve("image.tar");
    Files.write(archive, image().dockerArchive("app:1").bytes());
    run(
        "skopeo",
        "--insecure-policy",
        "copy",
        "-q",
        "docker-archive:" + archive,
        "oci:" + folder.resolve("layout") + ":app");
    run(
        "umoci",
        "raw",
        "unpack",
        "--image",
        folder.resolve("layout") + ":app",
        folder.resolve("theirs").toString());

    try (Images images = Images.open(ImageSettings.defaults(folder.resolve("store")))) {
      String id =
          images
              .importArchive(
                  "oci", folder.resolve("layout"), null, PullProgress.NONE, Cancellation.never())
              .getFirst();
      Path merged = images.provisioner().provision("c", id);
      try {
        Map<String, String> ours = TreeListing.of(merged);
        // Umoci fills holes; that they are kept is compared with GNU tar.
        assertThat(TreeListing.withoutHoles(ours))
            .isEqualTo(TreeListing.withoutHoles(TreeListing.of(folder.resolve("theirs"))));
        assertThat(ours.get("/capable")).contains("security.capability", "links=2");
        assertThat(ours.get("/listed")).contains("posix_acl_access");
        assertThat(ours.get("/sparse")).contains("size=3145728 sparse=true");
      } finally {
        images.provisioner().release("c");
      }
    }
  }
}
