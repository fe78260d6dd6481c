package io.keelson.sandbox.launch;

import io.keelson.linux.cgroup.CgroupLayout;
import io.keelson.linux.cgroup.Cgroups;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;

/**
 * Control groups for commands that run in containers beside the workload, one for each, so that all
 * that a command started can be found and killed: its descendants may have left its session and
 * lost their parent, but no process leaves a control group by itself. Safe for use by many threads.
 */
interface ExecGroups extends AutoCloseable {

  /** Those that suit the host. */
  static ExecGroups of(Cgroups cgroups) throws IOException {
    return cgroups.layout() == CgroupLayout.V2
        ? new ExecGroupsV2(cgroups)
        : ExecGroupsV1.open("keelson");
  }

  /**
   * Makes a group for one command.
   *
   * @param containerGroup the container's own group
   */
  ExecGroup make(String containerGroup) throws IOException;

  @Override
  void close();

  /**
   * The group of one command. Closing it never fails: what can't be removed yet is removed later.
   */
  interface ExecGroup extends AutoCloseable {

    /** What the runtime's exec must be told. */
    List<String> runtimeOptions();

    /**
     * Puts the calling thread into the group, and with it what it starts from now on until it ends.
     */
    void enter() throws IOException;

    /**
     * Kills all that is in it.
     *
     * @param spared a process that is left alone, should it be in the group
     * @return false if some are left after {@code timeout}
     */
    boolean killAll(OptionalInt spared, Duration timeout) throws IOException;

    @Override
    void close();
  }
}
