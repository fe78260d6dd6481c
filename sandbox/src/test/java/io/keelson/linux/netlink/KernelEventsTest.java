package io.keelson.linux.netlink;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class KernelEventsTest {

  /** The kernel tells of a device that comes and goes; a link is one that every host can make. */
  @Test
  void devicesThatComeAndGoAreTold() throws Exception {
    String name = "ke" + ProcessHandle.current().pid() % 100_000;
    BlockingQueue<Map<String, String>> events = new LinkedBlockingQueue<>();
    try (KernelEvents _ = KernelEvents.watch(events::add);
        RouteSocket host = RouteSocket.open()) {
      host.execute(RouteRequest.addVeth(LinkSettings.named(name), LinkSettings.named(name + "p")));
      try {
        assertThat(await(events, "add", name)).containsEntry("SUBSYSTEM", "net");
      } finally {
        host.deleteLink(name);
      }
      assertThat(await(events, "remove", name)).containsEntry("SUBSYSTEM", "net");
    }
  }

  private static Map<String, String> await(
      BlockingQueue<Map<String, String>> events, String action, String name)
      throws InterruptedException {
    while (true) {
      Map<String, String> event = events.poll(30, TimeUnit.SECONDS);
      if (event == null) {
        throw new AssertionError("no event " + action + " of " + name);
      }
      if (action.equals(event.get("ACTION")) && name.equals(event.get("INTERFACE"))) {
        return event;
      }
    }
  }
}
