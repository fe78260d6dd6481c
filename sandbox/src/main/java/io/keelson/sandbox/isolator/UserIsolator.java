package io.keelson.sandbox.isolator;

import io.keelson.proto.cri.v1.LinuxContainerSecurityContext;
import io.keelson.proto.cri.v1.SupplementalGroupsPolicy;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.isolator.AccountFiles.User;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.spec.SpecBuilder;
import io.keelson.sandbox.spec.SpecUser;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Whom the process runs as: run_as_username before run_as_user before the image's USER before root;
 * names are looked up in the root file system's own passwd and group. Also HOME, where the
 * environment has none.
 *
 * <p>The primary group is always among the supplementary ones, or else a process could shake off a
 * group that file permissions deny (CVE-2022-36109).
 */
public final class UserIsolator implements Isolator {

  private static final long MAX_ID = Integer.MAX_VALUE;

  @Override
  public void prepare(ContainerContext container, SpecBuilder spec) throws IOException {
    LinuxContainerSecurityContext security = container.config().getLinux().getSecurityContext();
    AccountFiles accounts = AccountFiles.read(container.rootfs());
    Wanted wanted = wanted(security, container.image().user());
    Optional<User> account = account(wanted.user(), accounts);
    long uid =
        isId(wanted.user())
            ? id("user", wanted.user())
            : account
                .orElseThrow(
                    () ->
                        new InvalidRequestException(
                            "no user '%s' in /etc/passwd of image %s"
                                .formatted(wanted.user(), container.image().id())))
                .uid();
    long gid = gid(wanted, account, accounts, container);

    SortedSet<Long> groups = new TreeSet<>(List.of(gid));
    if (security.getSupplementalGroupsPolicy() == SupplementalGroupsPolicy.Merge) {
      account.ifPresent(user -> groups.addAll(accounts.groupsOf(user.name())));
    } else if (security.getSupplementalGroupsPolicy() == SupplementalGroupsPolicy.UNRECOGNIZED) {
      throw new InvalidRequestException(
          "unknown supplemental_groups_policy " + security.getSupplementalGroupsPolicyValue());
    }
    for (long group : security.getSupplementalGroupsList()) {
      groups.add(checked("supplemental group", group));
    }
    spec.user(new SpecUser(uid, gid, List.copyOf(groups)));
    spec.envIfAbsent("HOME", account.map(User::home).filter(home -> !home.isEmpty()).orElse("/"));
  }

  /** User and group as text, name or number; the group is empty for "the user's own". */
  private record Wanted(String user, String group) {}

  private static Wanted wanted(LinuxContainerSecurityContext security, String imageUser) {
    String group =
        security.hasRunAsGroup()
            ? Long.toString(checked("run_as_group", security.getRunAsGroup().getValue()))
            : "";
    if (!security.getRunAsUsername().isEmpty()) {
      return new Wanted(security.getRunAsUsername(), group);
    }
    if (security.hasRunAsUser()) {
      return new Wanted(
          Long.toString(checked("run_as_user", security.getRunAsUser().getValue())), group);
    }
    if (!group.isEmpty()) {
      throw new InvalidRequestException(
          "run_as_group %s is given without run_as_user or run_as_username".formatted(group));
    }
    int colon = imageUser.indexOf(':');
    String user = colon < 0 ? imageUser : imageUser.substring(0, colon);
    return new Wanted(user.isEmpty() ? "0" : user, colon < 0 ? "" : imageUser.substring(colon + 1));
  }

  private static Optional<User> account(String user, AccountFiles accounts) {
    if (isId(user)) {
      long uid = id("user", user);
      return accounts.user(account -> account.uid() == uid);
    }
    return accounts.user(account -> account.name().equals(user));
  }

  private static long gid(
      Wanted wanted, Optional<User> account, AccountFiles accounts, ContainerContext container) {
    if (wanted.group().isEmpty()) {
      return account.map(User::gid).orElse(0L);
    }
    if (isId(wanted.group())) {
      return id("group", wanted.group());
    }
    return accounts
        .group(wanted.group())
        .orElseThrow(
            () ->
                new InvalidRequestException(
                    "no group '%s' in /etc/group of image %s"
                        .formatted(wanted.group(), container.image().id())))
        .gid();
  }

  private static boolean isId(String text) {
    return !text.isEmpty()
        && text.chars().allMatch(character -> character >= '0' && character <= '9');
  }

  private static long id(String what, String digits) {
    if (digits.length() > 10) {
      throw new InvalidRequestException("%s id %s is out of range".formatted(what, digits));
    }
    return checked(what + " id", Long.parseLong(digits));
  }

  /** The kernel allows more, OCI runtimes refuse above the largest signed number of 32 bits. */
  private static long checked(String what, long id) {
    if (id < 0 || id > MAX_ID) {
      throw new InvalidRequestException("%s %d is out of range".formatted(what, id));
    }
    return id;
  }
}
