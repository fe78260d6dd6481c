package io.keelson.linux.cgroup;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * Tells whether the kernel has killed processes of a group for want of memory, also if the group is
 * gone: systemd removes a scope as soon as its last process has ended, and with it the scope's
 * counts. On version 2 the group above it counts on (admin-guide/cgroup-v2, {@code memory.events}),
 * and what neither a group that is there nor an earlier end accounts for is of the group that has
 * gone.
 *
 * <p>As long as nothing is killed for memory, a beginning costs the reading of one small file and
 * an end that of two. Safe for use by many threads.
 */
public final class OomKillLedger {

  /**
   * How long after another that has gone a group may have gone by the same kills: a limit of the
   * parent can end all that is below it at once, and nothing tells then whose kills they were.
   */
  private static final long AT_ONCE_NANOS = TimeUnit.SECONDS.toNanos(1);

  /**
   * What has been told of groups below one parent. Its own lock; pods don't wait for each other.
   */
  private static final class Account {

    private boolean begun;
    private long told;
    private final Set<String> toldGroups = new HashSet<>();
    private Optional<Long> lastGone = Optional.empty();
  }

  private final Cgroups cgroups;
  private final Map<String, Account> accounts = new ConcurrentHashMap<>();

  public OomKillLedger(Cgroups cgroups) {
    this.cgroups = cgroups;
  }

  /**
   * A group is about to be made: kills in groups that went before the first of its parent are those
   * of strangers.
   */
  public void begin(String group) throws IOException {
    String parent = parent(group);
    Account account = account(parent);
    synchronized (account) {
      if (!account.begun) {
        account.told = Math.max(0, ofGroupsGone(parent, account));
        account.begun = true;
      }
    }
  }

  /**
   * All processes of a group have ended. To be asked once of each group.
   *
   * @param killed whether its main process was killed, by whomever: only then are kills in groups
   *     that are gone taken for its own
   * @param nanos when it ended, since the epoch
   * @return whether any of them was killed for want of memory, in the group itself where that can
   *     be told from groups below it
   */
  public boolean end(String group, boolean killed, long nanos) throws IOException {
    String parent = parent(group);
    Account account = account(parent);
    synchronized (account) {
      account.begun = true;
      OptionalLong own = cgroups.oomKillsOfTree(group);
      if (own.isPresent()) {
        return own.getAsLong() > 0 && endOfOneThatIsThere(group, own.getAsLong(), account);
      }
      if (!killed) {
        return false;
      }
      if (cgroups.oomKillsOfTree(parent).isEmpty()) {
        return cgroups.oomKills(group) > 0;
      }
      return endOfOneThatIsGone(parent, account, nanos);
    }
  }

  private boolean endOfOneThatIsGone(String parent, Account account, long nanos)
      throws IOException {
    long left = ofGroupsGone(parent, account) - account.told;
    if (left < 0) {
      left += account.told; // the parent is another one of the same name
      account.told = 0;
    }
    if (left > 0) {
      account.told += left;
      account.lastGone = Optional.of(nanos);
      return true;
    }
    return account.lastGone.filter(last -> Math.abs(nanos - last) < AT_ONCE_NANOS).isPresent();
  }

  private boolean endOfOneThatIsThere(String group, long kills, Account account)
      throws IOException {
    account.told += kills;
    account.toldGroups.add(group);
    return cgroups.oomKills(group) > 0 || !cgroups.exists(group);
  }

  private Account account(String parent) {
    return accounts.computeIfAbsent(parent, _ -> new Account());
  }

  /** Kills below the parent in groups that are gone, and in those that are there and told of. */
  private long ofGroupsGone(String parent, Account account) throws IOException {
    long all = cgroups.oomKillsOfTree(parent).orElse(0);
    while (all > 0) {
      long rest = all - inGroupsThere(parent, account);
      long now = cgroups.oomKillsOfTree(parent).orElse(0);
      if (now == all) {
        return rest;
      }
      all = now; // one more while they were counted
    }
    return 0;
  }

  /** Kills in groups below the parent that are there and have not been told of. */
  private long inGroupsThere(String parent, Account account) throws IOException {
    account.toldGroups.removeIf(group -> !cgroups.exists(group));
    long sum = 0;
    Optional<Path> folder = cgroups.folder("memory", parent);
    if (folder.isEmpty()) {
      return sum;
    }
    try (DirectoryStream<Path> groups =
        Files.newDirectoryStream(folder.get(), Files::isDirectory)) {
      for (Path each : groups) {
        String group = parent + "/" + each.getFileName();
        if (!account.toldGroups.contains(group)) {
          sum += cgroups.oomKillsOfTree(group).orElse(0);
        }
      }
    } catch (NoSuchFileException e) {
      return sum; // the parent went meanwhile
    }
    return sum;
  }

  /** How many kills have been told of groups in the parent of this one, for {@link #recall}. */
  public long told(String group) {
    Account account = accounts.get(parent(group));
    if (account == null) {
      return 0;
    }
    synchronized (account) {
      return account.told;
    }
  }

  /** An earlier ledger had told so much when this group was the last to begin or to end. */
  public void recall(String group, long told) {
    Account account = account(parent(group));
    synchronized (account) {
      account.begun = true;
      account.told = Math.max(account.told, told);
    }
  }

  /** No group below this parent is asked after any more. */
  public void forget(String parent) {
    accounts.remove(parent);
  }

  private static String parent(String group) {
    return String.valueOf(Objects.requireNonNull(Path.of(group).getParent(), group));
  }
}
