package io.keelson.device.container;

import io.keelson.device.cdi.CdiEdits;
import io.keelson.device.cdi.CdiInjection;
import io.keelson.device.nic.Nics;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.spec.SpecBuilder;
import java.io.IOException;
import java.util.Collection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The CDI devices of containers, whoever names them. Network interfaces among them come home with
 * the others of the container.
 */
public final class CdiIsolator implements Isolator {

  private static final Logger log = LoggerFactory.getLogger(CdiIsolator.class);

  private final CdiInjection cdi;
  private final Nics nics;

  public CdiIsolator(CdiInjection cdi, Nics nics) {
    this.cdi = cdi;
    this.nics = nics;
  }

  /** Does nothing: who names devices calls {@link #inject}. */
  @Override
  public void prepare(ContainerContext container, SpecBuilder spec) {}

  /**
   * Gives a container that is being made these devices, beside those that it got before.
   *
   * @param names qualified, {@code vendor/class=device}; may be empty
   * @throws io.keelson.sandbox.error.FailedPreconditionException if one is not known
   */
  public void inject(ContainerContext container, Collection<String> names, SpecBuilder spec)
      throws IOException {
    if (!names.isEmpty()) {
      boolean privileged = container.config().getLinux().getSecurityContext().getPrivileged();
      lend(container, cdi.inject(container.bundle(), names, spec, privileged));
    }
  }

  @Override
  public void launching(ContainerContext container) throws IOException {
    for (CdiEdits changed : cdi.refresh(container.bundle())) {
      log.atInfo()
          .addKeyValue("container", container.id())
          .log("its CDI devices have changed since it was made");
      lend(container, changed);
    }
  }

  private void lend(ContainerContext container, CdiEdits edits) throws IOException {
    for (CdiEdits.NetDevice device : edits.netDevices()) {
      nics.lendHostInterface(
          container.pod(), container.id(), device.hostInterface(), device.name());
    }
  }
}
