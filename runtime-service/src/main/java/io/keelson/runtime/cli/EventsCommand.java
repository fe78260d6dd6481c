package io.keelson.runtime.cli;

import io.keelson.proto.cri.v1.ContainerEventResponse;
import io.keelson.proto.cri.v1.ContainerStatus;
import io.keelson.proto.cri.v1.GetEventsRequest;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Iterator;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code keelson events}. */
@Command(
    name = "events",
    description = "Shows what happens to pods and containers from now on, until Ctrl-C.")
final class EventsCommand extends ClientCommand {

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", Locale.ROOT)
          .withZone(ZoneId.systemDefault());

  @Mixin private final OutputOptions output = new OutputOptions();

  @Option(
      names = {"-n", "--count"},
      paramLabel = "COUNT",
      description = "End after so many events.")
  private int count;

  EventsCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int run(CriClient daemon) {
    Iterator<ContainerEventResponse> events =
        daemon.runtime().getContainerEvents(GetEventsRequest.getDefaultInstance());
    for (int i = 0; (count == 0 || i < count) && events.hasNext(); i++) {
      ContainerEventResponse event = events.next();
      terminal().out().println(output.isJson() ? OutputOptions.json(event) : line(event));
      terminal().out().flush();
    }
    return ExitCode.OK;
  }

  /** {@code 2026-01-02T03:04:05.678Z container started 1f0a2b3c4d5e6 web/main}. */
  private static String line(ContainerEventResponse event) {
    String pod = event.getPodSandboxStatus().getMetadata().getName();
    boolean ofPod = event.getPodSandboxStatus().getId().equals(event.getContainerId());
    Optional<ContainerStatus> container =
        event.getContainersStatusesList().stream()
            .filter(status -> status.getId().equals(event.getContainerId()))
            .findFirst();
    return "%s %-9s %-7s %s %s%s"
        .formatted(
            TIME.format(Instant.ofEpochSecond(0, event.getCreatedAt())),
            ofPod ? "pod" : "container",
            word(event),
            Units.shortId(event.getContainerId()),
            pod,
            container
                .map(status -> "/" + status.getMetadata().getName() + end(event, status))
                .orElse(""));
  }

  private static String end(ContainerEventResponse event, ContainerStatus status) {
    return word(event).equals("stopped")
        ? " (%d, %s)".formatted(status.getExitCode(), status.getReason())
        : "";
  }

  private static String word(ContainerEventResponse event) {
    return switch (event.getContainerEventType()) {
      case CONTAINER_CREATED_EVENT -> "created";
      case CONTAINER_STARTED_EVENT -> "started";
      case CONTAINER_STOPPED_EVENT -> "stopped";
      case CONTAINER_DELETED_EVENT -> "deleted";
      case UNRECOGNIZED -> "unknown";
    };
  }
}
