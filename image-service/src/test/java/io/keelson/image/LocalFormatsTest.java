package io.keelson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.image.fixture.LayerTar;
import io.keelson.image.fixture.MemoryFolders;
import io.keelson.image.fixture.TestImage;
import io.keelson.image.fixture.TestImage.Compression;
import io.keelson.image.fixture.TreeListing;
import io.keelson.image.request.Cancellation;
import io.keelson.image.request.PullProgress;
import io.keelson.image.rootfs.RootBackend;
import io.keelson.linux.tree.Folder;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.UnsupportedException;
import io.keelson.sandbox.port.ImageDescription;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Root file systems and Appc images of this host. */
class LocalFormatsTest {

  @TempDir(factory = MemoryFolders.class)
  Path folder;

  private Images images;

  @BeforeEach
  void open() throws IOException {
    images = Images.open(ImageSettings.defaults(folder.resolve("root")));
  }

  @AfterEach
  void close() throws IOException {
    images.provisioner().recover(List.of());
    images.close();
  }

  private String take(String format, Path path) throws IOException {
    return images
        .importArchive(format, path, null, PullProgress.NONE, Cancellation.never())
        .getFirst();
  }

  private static void sh(String script) throws Exception {
    Process shell = new ProcessBuilder("sh", "-ec", script).redirectErrorStream(true).start();
    String said = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(shell.waitFor()).as(said).isZero();
  }

  /** All that a folder can hold and a tar can say. */
  private Path tree() throws Exception {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    sh(
        """
        cd %s
        mkdir -p a/b c; chmod 1777 c; chmod 2750 a/b
        echo one > a/file; ln a/file a/b/again; ln -s ../nowhere a/link
        chown 1000:70000000 a/file; chmod 4755 a/b/again
        mkfifo c/fifo; mknod c/null c 1 3; mknod c/disk b 7 0
        cp /bin/true cap
        head -c 100000 /dev/urandom > large; touch -d '2001-02-03T04:05:06.123456789Z' large
        touch -d '1960-01-01T00:00:00.5Z' a/b
        n=$(printf 'x%%.0s' $(seq 120)); mkdir -p long/$n/$n; echo deep > long/$n/$n/$n; ln -s $n/$n long/l
        touch 'größe'
        """
            .formatted(tree));
    HexFormat hex = HexFormat.of();
    try (Folder opened = Folder.open(tree);
        Folder a = opened.openFolder("a")) {
      a.inode("file").setAttribute("user.note", new byte[] {'a', 0, '\n', 'b'});
      // cap_net_raw, permitted and effective
      opened
          .inode("cap")
          .setAttribute(
              "security.capability", hex.parseHex("0100000200200000000000000000000000000000"));
      // u::rw-,u:1000:rwx,g::r--,m::rwx,o::r--
      opened
          .inode("cap")
          .setAttribute(
              "system.posix_acl_access",
              hex.parseHex(
                  "0200000001000600ffffffff02000700e803000004000400ffffffff10000700ffffffff20000400ffffffff"));
    }
    return tree;
  }

  @Test
  void aFolderIsCopiedAsItIs() throws Exception {
    Path tree = tree();
    String id = take("dir", tree);
    Path merged = images.provisioner().provision("c", id);
    assertThat(TreeListing.of(merged)).isEqualTo(TreeListing.of(tree));
    assertThat(take("dir", tree)).isEqualTo(id);
    assertThat(images.list()).hasSize(1);
  }

  @Test
  void aTarAlsoCompressedIsARoot() throws Exception {
    Path tree = tree();
    Path tar = folder.resolve("root.tar.gz");
    sh("tar -C %s --xattrs --xattrs-include='*' --format=posix -czf %s .".formatted(tree, tar));
    Path merged = images.provisioner().provision("c", take("tar", tar));
    assertThat(TreeListing.of(merged)).isEqualTo(TreeListing.of(tree));
  }

  @Test
  void aJarIsARoot() throws IOException {
    Path jar = folder.resolve("app.jar");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(jar))) {
      zip.putNextEntry(new ZipEntry("META-INF/"));
      zip.putNextEntry(new ZipEntry("META-INF/MANIFEST.MF"));
      zip.write("Main-Class: x\n".getBytes(StandardCharsets.UTF_8));
      zip.putNextEntry(new ZipEntry("größe/x.class"));
      zip.write(new byte[70_000]);
    }
    Path merged = images.provisioner().provision("c", take("tar", jar));
    assertThat(merged.resolve("META-INF/MANIFEST.MF")).hasContent("Main-Class: x\n");
    assertThat(merged.resolve("größe/x.class")).hasSize(70_000);
  }

  @Test
  void aZipThatLeadsOutIsRefused() throws IOException {
    Path jar = folder.resolve("evil.jar");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(jar))) {
      zip.putNextEntry(new ZipEntry("../../../../../../etc/keelson-was-here"));
      zip.write(1);
    }
    assertThatThrownBy(() -> take("tar", jar)).isInstanceOf(InvalidRequestException.class);
    assertThat(Path.of("/etc/keelson-was-here")).doesNotExist();
  }

  @Test
  void aFolderOfTheHostIsSeenThroughAndNeverWrittenTo() throws IOException {
    Path tree = Files.createDirectory(folder.resolve("cvmfs"));
    Files.writeString(tree.resolve("tool"), "as it is");
    String id = take("host", tree);
    Path merged = images.provisioner().provision("c", id);
    assertThat(merged.resolve("tool")).hasContent("as it is");
    Files.writeString(merged.resolve("tool"), "changed in the container");
    assertThat(tree.resolve("tool")).hasContent("as it is");
    images.provisioner().release("c");

    images.close();
    images = Images.open(ImageSettings.defaults(folder.resolve("root")));
    assertThat(images.provisioner().provision("c", id).resolve("tool")).hasContent("as it is");
    images.provisioner().release("c");
    images.remove(id);
    assertThat(tree.resolve("tool")).hasContent("as it is");
  }

  /** As CVMFS comes in: one more layer to the one, its copy to the other, and as it stands. */
  @ParameterizedTest
  @EnumSource(value = RootBackend.class, mode = EnumSource.Mode.EXCLUDE, names = "EROFS")
  void aFolderOfTheHostGoesWithEachBackend(RootBackend backend) throws IOException {
    Path tree = folder.resolve("cvmfs");
    Path deep = Files.createDirectories(tree.resolve("deep"));
    Path tool = Files.writeString(deep.resolve("tool"), "as it is");
    images.close();
    images = Images.open(ImageSettings.defaults(folder.resolve("root")).with(backend));
    String id = take("host", tree);
    Path seen = images.provisioner().provision("c", id).resolve("deep/tool");
    assertThat(seen).hasContent("as it is");
    if (backend == RootBackend.BIND) {
      assertThatThrownBy(() -> Files.writeString(seen, "changed"))
          .isInstanceOf(FileSystemException.class)
          .hasMessageContaining("Read-only");
    } else {
      Files.writeString(seen, "changed in the container");
    }
    assertThat(tool).hasContent("as it is");
    images.provisioner().release("c");
    images.remove(id);
    assertThat(tool).hasContent("as it is");
  }

  private Path appc(String more) throws IOException {
    String manifest =
        """
        {"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/Reduce-Worker",
         "labels":[{"name":"version","value":"1.0.0"},{"name":"os","value":"linux"},
           {"name":"arch","value":"%s"}],
         "app":{"exec":["/bin/worker","--quiet"],"user":"100","group":"300",
           "workingDirectory":"/opt/work","environment":[{"name":"A","value":"b"}]}%s}
        """
            .formatted(TestImage.architecture().equals("arm64") ? "aarch64" : "amd64", more);
    byte[] tar =
        new LayerTar()
            .file("manifest", manifest)
            .folder("rootfs", 0711)
            .folder("rootfs/bin", 0755)
            .file("rootfs/bin/worker", "work")
            .hardLink("rootfs/bin/other", "rootfs/bin/worker")
            .bytes();
    Path aci = folder.resolve("worker.aci");
    try (OutputStream out = Files.newOutputStream(aci)) {
      out.write(TestImage.compress(tar, Compression.GZIP));
    }
    return aci;
  }

  @Test
  void anAppcImage() throws IOException {
    Path aci = appc("");
    String id = take("", aci);
    assertThat(take("aci", aci)).isEqualTo(id);
    ImageDescription image = images.status("example.com/reduce-worker:1.0.0").orElseThrow();
    assertThat(image.id()).isEqualTo(id);
    assertThat(image.entrypoint()).containsExactly("/bin/worker", "--quiet");
    assertThat(image.user()).isEqualTo("100:300");
    assertThat(image.env()).containsExactly("A=b");
    assertThat(image.workingDirectory()).isEqualTo("/opt/work");
    Path merged = images.provisioner().provision("c", id);
    assertThat(merged.resolve("bin/other")).hasContent("work");
    assertThat(merged.resolve("manifest")).doesNotExist();
    assertThat(Files.getPosixFilePermissions(merged)).hasSize(5);
  }

  @Test
  void whatCannotBeTakenIsSaid() throws IOException {
    Path aci = appc(",\"dependencies\":[{\"imageName\":\"example.com/base\"}]");
    assertThatThrownBy(() -> take("aci", aci)).isInstanceOf(UnsupportedException.class);
    assertThatThrownBy(() -> take("dir", aci)).isInstanceOf(InvalidRequestException.class);
    assertThatThrownBy(() -> take("tar", folder)).isInstanceOf(InvalidRequestException.class);
    assertThatThrownBy(() -> take("oci", folder)).isInstanceOf(InvalidRequestException.class);
    assertThatThrownBy(() -> take("squashfs", aci))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("docker-archive");
    assertThatThrownBy(() -> take("", folder))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("dir:");
  }
}
