package io.keelson.sandbox.launch;

import io.keelson.linux.cgroup.Cgroups;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * On version 2 a group below the container's own, which the runtime starts the command in. It has
 * no controllers, so the container's limits hold for both together. One in which a command has left
 * processes goes with the container.
 */
final class ExecGroupsV2 implements ExecGroups {

  private static final Logger LOG = LoggerFactory.getLogger(ExecGroupsV2.class);

  private final Cgroups cgroups;
  private final AtomicLong numbers = new AtomicLong(System.nanoTime());

  ExecGroupsV2(Cgroups cgroups) {
    this.cgroups = cgroups;
  }

  @Override
  public ExecGroup make(String containerGroup) throws IOException {
    String name = "keelson-exec-" + Long.toHexString(numbers.incrementAndGet());
    String group = containerGroup + "/" + name;
    Files.createDirectory(cgroups.folder("cgroup", group).orElseThrow());
    return new Group(name, group);
  }

  @Override
  public void close() {}

  private final class Group implements ExecGroup {

    private final String name;
    private final String group;

    Group(String name, String group) {
      this.name = name;
      this.group = group;
    }

    @Override
    public List<String> runtimeOptions() {
      return List.of("--cgroup", name);
    }

    @Override
    public void enter() {}

    /** The runtime stays outside of the group, so there is nobody to spare. */
    @Override
    public boolean killAll(OptionalInt spared, Duration timeout) throws IOException {
      return cgroups.killAll(group, timeout);
    }

    @Override
    public void close() {
      try {
        if (cgroups.processes(group).isEmpty()) {
          cgroups.remove(group, Duration.ofMillis(20));
        }
      } catch (IOException e) {
        LOG.atDebug()
            .setCause(e)
            .addKeyValue("cgroup", group)
            .log("the group of a command stays until its container goes");
      }
    }
  }
}
