package io.keelson.sandbox.isolator;

import io.keelson.linux.Selinux;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.port.RootOptions;
import io.keelson.sandbox.spec.SpecBuilder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * SELinux, where it is on: the label of the process, and the one of all files that are the
 * container's. Where it is off labels mean nothing, as everywhere in the field. Runs before the
 * isolators that label files or mount them with the label.
 */
public final class SelinuxIsolator implements Isolator {

  private static final Path CONFIGURATION = Path.of("/etc/selinux");

  private final HostFeatures host;
  private final Path configuration;
  private final KnownLabels known;

  public SelinuxIsolator(HostFeatures host) {
    this(host, CONFIGURATION, Selinux::knows);
  }

  SelinuxIsolator(HostFeatures host, Path configuration, KnownLabels known) {
    this.host = host;
    this.configuration = configuration;
    this.known = known;
  }

  /** Whether the policy in force has a label. */
  interface KnownLabels {
    boolean contain(String label) throws IOException;
  }

  @Override
  public RootOptions root(ContainerContext container, RootOptions options) throws IOException {
    Optional<SelinuxLabels> labels = labels(container);
    if (labels.isEmpty()) {
      return options;
    }
    check(container, labels.get());
    return options.withFileLabel(labels.get().file());
  }

  @Override
  public void prepare(ContainerContext container, SpecBuilder spec) throws IOException {
    labels(container).ifPresent(labels -> spec.selinuxLabel(labels.process(), labels.file()));
  }

  private Optional<SelinuxLabels> labels(ContainerContext container) throws IOException {
    return host.selinux()
        ? SelinuxLabels.of(container, SelinuxLabels.Policy.read(configuration))
        : Optional.empty();
  }

  /** Here, because the kernel and the OCI runtime say "Invalid argument" only, and of no label. */
  private void check(ContainerContext container, SelinuxLabels labels) throws IOException {
    for (String label : List.of(labels.process(), labels.file())) {
      if (known.contain(label)) {
        continue;
      }
      if (SelinuxLabels.areWanted(container)) {
        throw new InvalidRequestException(
            "the SELinux policy of this node has no label " + label + ", which is asked for");
      }
      throw new FailedPreconditionException(
          "the SELinux policy of this node has no label "
              + label
              + ": its part for containers is not installed (container-selinux)");
    }
  }
}
