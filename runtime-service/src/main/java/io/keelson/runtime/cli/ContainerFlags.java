package io.keelson.runtime.cli;

import com.google.protobuf.ByteString;
import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.ContainerMetadata;
import io.keelson.proto.cri.v1.ImageSpec;
import io.keelson.proto.cri.v1.Int64Value;
import io.keelson.proto.cri.v1.KeyValue;
import io.keelson.proto.cri.v1.LinuxContainerConfig;
import io.keelson.proto.cri.v1.LinuxContainerSecurityContext;
import io.keelson.proto.cri.v1.NamespaceOption;
import io.keelson.proto.cri.v1.SecurityProfile;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The container that {@code keelson run} makes. */
final class ContainerFlags {

  @Option(
      names = {"-e", "--env"},
      paramLabel = "NAME=VALUE",
      description =
          "Set an environment variable; NAME alone takes its value from here. Repeatable.")
  private List<String> environment = List.of();

  @Option(
      names = {"-v", "--volume"},
      paramLabel = "HOST:CONTAINER[:ro]",
      description = "Mount a file or folder of the node. Repeatable.")
  private List<String> volumes = List.of();

  @Option(
      names = {"-u", "--user"},
      paramLabel = "USER[:GROUP]",
      description = "By name (without a group) or number. Default: the image's.")
  private @Nullable String user;

  @Option(
      names = {"-w", "--workdir"},
      description = "Default: the image's.")
  private String workingDirectory = "";

  @Option(names = "--entrypoint", description = "The program, instead of the image's.")
  private @Nullable String entrypoint;

  @Option(names = "--read-only", description = "The root file system can't be written to.")
  private boolean readOnly;

  @Option(names = "--privileged", description = "With all rights and devices of the node.")
  private boolean privileged;

  @Mixin private final ResourceFlags resources = new ResourceFlags();

  boolean isPrivileged() {
    return privileged;
  }

  /**
   * @param imageId what the image was resolved to
   * @param image what the user called it
   * @param arguments instead of the image's; none for the image's
   */
  ContainerConfig config(
      String name,
      String imageId,
      String image,
      List<String> arguments,
      NamespaceOption namespaces) {
    ContainerConfig.Builder config =
        ContainerConfig.newBuilder()
            .setMetadata(ContainerMetadata.newBuilder().setName(name))
            .setImage(ImageSpec.newBuilder().setImage(imageId).setUserSpecifiedImage(image))
            .addAllArgs(arguments)
            .setWorkingDir(workingDirectory)
            .setLogPath(name + ".log")
            .setLinux(
                LinuxContainerConfig.newBuilder()
                    .setResources(resources.resources())
                    .setSecurityContext(security(namespaces)));
    if (entrypoint != null) {
      config.addCommand(entrypoint);
    }
    environment.forEach(variable -> config.addEnvs(variable(variable)));
    volumes.forEach(volume -> config.addMounts(VolumeFlag.parse(volume)));
    return config.build();
  }

  private LinuxContainerSecurityContext security(NamespaceOption namespaces) {
    LinuxContainerSecurityContext.Builder security =
        LinuxContainerSecurityContext.newBuilder()
            .setNamespaceOptions(namespaces)
            .setPrivileged(privileged)
            .setReadonlyRootfs(readOnly)
            .setSeccomp(
                SecurityProfile.newBuilder()
                    .setProfileType(SecurityProfile.ProfileType.RuntimeDefault));
    if (!privileged) {
      security.addAllMaskedPaths(DefaultPaths.MASKED).addAllReadonlyPaths(DefaultPaths.READ_ONLY);
    }
    if (user != null) {
      setUser(security, user);
    }
    return security.build();
  }

  private static void setUser(LinuxContainerSecurityContext.Builder security, String user) {
    String[] parts = user.split(":", 2);
    if (parts[0].matches("[0-9]{1,10}")) {
      security.setRunAsUser(Int64Value.newBuilder().setValue(Long.parseLong(parts[0])));
    } else {
      security.setRunAsUsername(parts[0]);
    }
    if (parts.length == 2) {
      if (!parts[1].matches("[0-9]{1,10}")) {
        throw CommandException.usage(
            "the group in --user must be a number, not \"" + parts[1] + "\"");
      }
      security.setRunAsGroup(Int64Value.newBuilder().setValue(Long.parseLong(parts[1])));
    }
  }

  private static KeyValue variable(String text) {
    int equals = text.indexOf('=');
    String name = equals < 0 ? text : text.substring(0, equals);
    String value = equals < 0 ? System.getenv(text) : text.substring(equals + 1);
    if (name.isEmpty() || value == null) {
      throw CommandException.usage(
          "\""
              + text
              + "\" sets no variable; write NAME=VALUE, or the NAME of one that is set here");
    }
    return KeyValue.newBuilder().setKey(name).setValue(ByteString.copyFromUtf8(value)).build();
  }
}
