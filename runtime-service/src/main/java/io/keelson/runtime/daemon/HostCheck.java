package io.keelson.runtime.daemon;

import io.keelson.linux.cgroup.CgroupDriver;
import io.keelson.linux.cgroup.CgroupHost;
import io.keelson.linux.cgroup.CgroupLayout;
import io.keelson.runtime.config.Configuration;
import io.keelson.runtime.config.Configuration.OciRuntime;
import io.keelson.runtime.config.SnapshotBackend;
import io.keelson.sandbox.port.RuntimeHandler;
import io.keelson.sandbox.port.RuntimeType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks, before anything is started, for what would else fail with an obscure message when the
 * first pod is run.
 */
final class HostCheck {

  private static final Logger log = LoggerFactory.getLogger(HostCheck.class);

  /** There on a host that systemd started (sd_booted(3)). */
  private static final Path SYSTEMD = Path.of("/run/systemd/system");

  private final Configuration configuration;
  private final Programs programs;
  private final CgroupHost cgroupHost;
  private final boolean systemd;
  private final List<String> problems = new ArrayList<>();

  HostCheck(
      Configuration configuration, Programs programs, CgroupHost cgroupHost, boolean systemd) {
    this.configuration = configuration;
    this.programs = programs;
    this.cgroupHost = cgroupHost;
    this.systemd = systemd;
  }

  /**
   * Checks this host.
   *
   * @throws StartException with everything that is missing or wrong
   */
  static Host check(Configuration configuration) throws IOException, StartException {
    return new HostCheck(
            configuration, Programs.ofHost(), CgroupHost.detect(), Files.isDirectory(SYSTEMD))
        .check();
  }

  Host check() throws IOException, StartException {
    cgroupHost.obstacle().ifPresent(problems::add);
    CgroupDriver driver = driver();
    Optional<Path> conmon = programs.find(configuration.conmon());
    if (conmon.isEmpty()) {
      problems.add(missing("conmon", configuration.conmon(), "conmon", "conmon"));
    }
    Map<String, RuntimeHandler> handlers = handlers(driver);
    Optional<Path> catatonit = programs.find(configuration.catatonit());
    if (catatonit.isEmpty()) {
      log.warn(
          "{}; pods that share a PID namespace can't run",
          missing("catatonit", configuration.catatonit(), "catatonit", "catatonit"));
    }
    if (programs.find("nft").isEmpty()) {
      log.warn(
          "nft is not installed (package nftables); the built-in network can't forward host ports");
    }
    if (!problems.isEmpty() || conmon.isEmpty()) {
      throw new StartException(problems);
    }
    return new Host(
        conmon.get(),
        catatonit.orElse(Path.of("/usr/bin/catatonit")),
        handlers,
        cgroupHost.cgroups(),
        driver);
  }

  private CgroupDriver driver() {
    boolean able = systemd && cgroupHost.layout() == CgroupLayout.V2;
    return switch (configuration.cgroupDriver()) {
      case CGROUPFS -> CgroupDriver.CGROUPFS;
      case AUTO -> able ? CgroupDriver.SYSTEMD : CgroupDriver.CGROUPFS;
      case SYSTEMD -> {
        if (!systemd) {
          problems.add(
              "cgroup_driver is systemd, but systemd did not start this host; set it to cgroupfs");
        }
        yield CgroupDriver.SYSTEMD;
      }
    };
  }

  private Map<String, RuntimeHandler> handlers(CgroupDriver driver) {
    Map<String, RuntimeHandler> handlers = new HashMap<>();
    for (OciRuntime runtime : configuration.runtimes().values()) {
      Optional<Path> program = programs.find(runtime.path());
      if (program.isPresent()) {
        handlers.put(runtime.name(), handler(runtime, program.get(), driver));
      } else if (runtime.required()) {
        problems.add(
            missing(
                "the OCI runtime " + runtime.name(),
                runtime.path(),
                runtime.name(),
                "runtimes." + runtime.name() + ".path"));
      }
    }
    return handlers;
  }

  private static RuntimeHandler handler(OciRuntime runtime, Path program, CgroupDriver driver) {
    return new RuntimeHandler(
        runtime.name(),
        switch (runtime.type()) {
          case AUTO -> RuntimeType.of(program);
          case CRUN -> RuntimeType.CRUN;
          case RUNC -> RuntimeType.RUNC;
          case OTHER -> RuntimeType.OTHER;
        },
        program,
        runtime.root(),
        driver == CgroupDriver.SYSTEMD,
        runtime.annotations(),
        runtime.snapshotBackend() == SnapshotBackend.DEFAULT
            ? ""
            : runtime.snapshotBackend().name().toLowerCase(Locale.ROOT));
  }

  private static String missing(String what, String name, String aPackage, String key) {
    return what
        + " is not there: no program "
        + name
        + (name.startsWith("/") ? "" : " in PATH")
        + "; install the package "
        + aPackage
        + ", or say where it is with "
        + key
        + " in the configuration";
  }
}
