package io.keelson.sandbox.isolator;

import io.keelson.proto.cri.v1.LinuxContainerSecurityContext;
import io.keelson.proto.cri.v1.SELinuxOption;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.port.ContainerContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The SELinux labels of a container: those that the policy has for containers, with what the pod
 * asks for over them, and what the container asks for over that. Containers of a pod that ask for
 * no level have the same one, of two categories that follow from the pod's id, so that they share
 * their files with one another and with nobody else.
 *
 * @param process {@code user:role:type:level}
 * @param file of all that the container may write
 */
record SelinuxLabels(String process, String file) {

  private static final int CATEGORIES = 1024;
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_]*");
  private static final Pattern LEVEL = Pattern.compile("[A-Za-z0-9_.,:-]*");

  /**
   * The labels that the policy has for containers (its file {@code lxc_contexts}).
   *
   * @param process without its level
   * @param file without its level
   */
  record Policy(String process, String file) {

    static final Policy USUAL =
        new Policy("system_u:system_r:container_t", "system_u:object_r:container_file_t");

    private static final Pattern LINE =
        Pattern.compile("\\s*(process|file)\\s*=\\s*\"([^:\"]+:[^:\"]+:[^:\"]+)(:[^\"]*)?\"\\s*");

    /** Reads the file of the policy in force below {@code /etc/selinux}. */
    static Policy read(Path configuration) throws IOException {
      Path config = configuration.resolve("config");
      String type =
          Files.exists(config)
              ? Files.readAllLines(config).stream()
                  .filter(line -> line.startsWith("SELINUXTYPE="))
                  .map(line -> line.substring("SELINUXTYPE=".length()).strip())
                  .findFirst()
                  .orElse("targeted")
              : "targeted";
      Path contexts = configuration.resolve(type).resolve("contexts/lxc_contexts");
      String process = USUAL.process;
      String file = USUAL.file;
      for (String line :
          Files.exists(contexts) ? Files.readAllLines(contexts) : List.<String>of()) {
        Matcher matcher = LINE.matcher(line);
        if (matcher.matches() && matcher.group(1).equals("process")) {
          process = matcher.group(2);
        } else if (matcher.matches()) {
          file = matcher.group(2);
        }
      }
      return new Policy(process, file);
    }
  }

  /**
   * The labels of a container; empty for a privileged one that asks for none, which runs as the
   * runtime does.
   *
   * @throws InvalidRequestException for what can be no part of a label
   */
  static Optional<SelinuxLabels> of(ContainerContext container, Policy policy) {
    LinuxContainerSecurityContext security = container.config().getLinux().getSecurityContext();
    if (security.getPrivileged() && !security.hasSelinuxOptions()) {
      return Optional.empty();
    }
    SELinuxOption wanted = wanted(container);
    check("user", wanted.getUser(), NAME);
    check("role", wanted.getRole(), NAME);
    check("type", wanted.getType(), NAME);
    check("level", wanted.getLevel(), LEVEL);
    String[] usual = policy.process.split(":", -1);
    String level = or(wanted.getLevel(), level(container.pod().id()));
    String process =
        String.join(
            ":",
            or(wanted.getUser(), usual[0]),
            or(wanted.getRole(), usual[1]),
            or(wanted.getType(), usual[2]),
            level);
    return Optional.of(new SelinuxLabels(process, policy.file + ":" + level));
  }

  /** Whether the caller has a say in them. */
  static boolean areWanted(ContainerContext container) {
    return !wanted(container).equals(SELinuxOption.getDefaultInstance());
  }

  private static SELinuxOption wanted(ContainerContext container) {
    SELinuxOption ofPod =
        container.pod().config().getLinux().getSecurityContext().getSelinuxOptions();
    // protobuf's merge takes what is set, and an empty text is not
    return ofPod.toBuilder()
        .mergeFrom(container.config().getLinux().getSecurityContext().getSelinuxOptions())
        .build();
  }

  private static String level(String sandboxId) {
    int one = (int) (Long.parseLong(sandboxId.substring(0, 8), 16) % CATEGORIES);
    int other = (int) (Long.parseLong(sandboxId.substring(8, 16), 16) % (CATEGORIES - 1));
    if (other >= one) {
      other++;
    }
    return "s0:c%d,c%d".formatted(Math.min(one, other), Math.max(one, other));
  }

  private static void check(String part, String value, Pattern pattern) {
    if (!pattern.matcher(value).matches()) {
      throw new InvalidRequestException("'%s' is no SELinux %s".formatted(value, part));
    }
  }

  private static String or(String wanted, String usual) {
    return wanted.isEmpty() ? usual : wanted;
  }
}
