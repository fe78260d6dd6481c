package io.keelson.integration.bench;

import io.keelson.integration.harness.Cri;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;

/** A daemon that speaks CRI: this project's, or containerd. */
final class CriPuller implements Puller {

  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final String name;
  private final Process process;
  private final Cri cri;

  private CriPuller(String name, Process process, Cri cri) {
    this.name = name;
    this.process = process;
    this.cri = cri;
  }

  /** The daemon of an installation. */
  static CriPuller keelson(String program, Path folder, String registry) throws IOException {
    Path socket = folder.resolve("keelson.sock");
    Path config = Files.createDirectories(folder).resolve("config.toml");
    Files.writeString(
        config,
        """
        root = "%s"
        state = "%s"
        socket = "%s"
        [network]
        bridge = "keelbench0"
        cni_conf_dir = "%s"
        netns_dir = "%s"
        [images]
        insecure_registries = ["%s"]
        [nri]
        socket = "%s"
        """
            .formatted(
                folder.resolve("root"),
                folder.resolve("state"),
                socket,
                folder.resolve("net.d"),
                folder.resolve("netns"),
                registry,
                folder.resolve("nri.sock")));
    return start(
        "keelson", List.of(program, "serve", "--config", config.toString()), socket, folder);
  }

  /** A containerd of any version; it speaks plain HTTP to registries on the loopback by itself. */
  static CriPuller containerd(String program, Path folder) throws IOException {
    Path socket = folder.resolve("containerd.sock");
    Path config = Files.createDirectories(folder).resolve("config.toml");
    Files.writeString(
        config,
        """
        version = 2
        root = "%s"
        state = "%s"
        [grpc]
        address = "%s"
        [plugins."io.containerd.internal.v1.opt"]
        path = "%s"
        [plugins."io.containerd.nri.v1.nri"]
        disable = true
        [plugins."io.containerd.grpc.v1.cri".cni]
        conf_dir = "%s"
        """
            .formatted(
                folder.resolve("root"),
                folder.resolve("state"),
                socket,
                folder.resolve("opt"),
                folder.resolve("net.d")));
    return start("containerd", List.of(program, "--config", config.toString()), socket, folder);
  }

  private static CriPuller start(String name, List<String> command, Path socket, Path folder)
      throws IOException {
    Path log = folder.resolve("log");
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    long end = System.nanoTime() + PATIENCE.toNanos();
    try {
      while (process.isAlive() && System.nanoTime() < end) {
        if (Files.exists(socket)) {
          Cri cri = Cri.connect(socket);
          if (cri.isServing()) {
            return new CriPuller(cri.nameAndVersion(), process, cri);
          }
          cri.close();
        }
        TimeUnit.MILLISECONDS.sleep(50);
      }
      throw new IOException(name + " does not serve:\n" + Files.readString(log));
    } catch (IOException e) {
      end(process);
      throw e;
    } catch (InterruptedException e) {
      end(process);
      throw new IOException(e);
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public OptionalLong pid() {
    return OptionalLong.of(process.pid());
  }

  @Override
  public void pull(String image) {
    cri.pull(image);
  }

  @Override
  public void remove(String image) {
    cri.removeImage(image);
  }

  @Override
  public void close() {
    cri.close();
    end(process);
  }

  private static void end(Process process) {
    process.destroy();
    try {
      if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
