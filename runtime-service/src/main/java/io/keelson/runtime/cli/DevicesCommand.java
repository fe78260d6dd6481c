package io.keelson.runtime.cli;

import io.keelson.proto.node.v1.AllocatedDevices;
import io.keelson.proto.node.v1.AttachDevicesRequest;
import io.keelson.proto.node.v1.DetachDevicesRequest;
import io.keelson.proto.node.v1.DeviceHolder;
import io.keelson.proto.node.v1.DeviceResource;
import io.keelson.proto.node.v1.ListCdiDevicesRequest;
import io.keelson.proto.node.v1.ListCdiDevicesResponse;
import io.keelson.proto.node.v1.ListResourcesRequest;
import io.keelson.proto.node.v1.ListResourcesResponse;
import io.keelson.proto.node.v1.NodeDevice;
import io.keelson.proto.node.v1.WatchDevicesRequest;
import io.keelson.proto.node.v1.WriteCdiSpecsRequest;
import java.io.PrintStream;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code keelson devices}. */
@Command(
    name = "devices",
    description = "Lists the devices of this node and who holds them.",
    subcommands = {
      DevicesCommand.Watch.class,
      DevicesCommand.Attach.class,
      DevicesCommand.Detach.class,
      DevicesCommand.Cdi.class
    })
final class DevicesCommand extends ClientCommand {

  @Mixin private final OutputOptions output = new OutputOptions();

  DevicesCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int run(CriClient daemon) {
    ListResourcesResponse answer =
        daemon.devices().listResources(ListResourcesRequest.getDefaultInstance());
    if (output.isJson()) {
      terminal().out().println(OutputOptions.json(answer));
    } else {
      print(answer, terminal().out());
    }
    return ExitCode.OK;
  }

  private static void print(ListResourcesResponse answer, PrintStream out) {
    Table table = new Table("RESOURCE", "DEVICE", "HEALTH", "NUMA", "HOLDER", "ATTRIBUTES");
    for (DeviceResource resource : answer.getResourcesList()) {
      if (resource.getDevicesCount() == 0) {
        table.row(resource.getName(), "", "plugin " + resource.getPluginState(), "", "", "");
      }
      for (NodeDevice device : resource.getDevicesList()) {
        table.row(
            resource.getName(),
            device.getId(),
            health(resource, device),
            device.getNumaNodesList().stream()
                .map(String::valueOf)
                .collect(Collectors.joining(",")),
            device.hasHolder() ? holder(device.getHolder()) : "",
            attributes(device.getAttributesMap()));
      }
    }
    table.print(out);
  }

  private static String health(DeviceResource resource, NodeDevice device) {
    if (!resource.getPluginState().equals("serving")) {
      return "plugin " + resource.getPluginState();
    }
    return device.getHealthy() ? "healthy" : "unhealthy";
  }

  private static String holder(DeviceHolder holder) {
    String pod = holder.getPodNamespace() + "/" + holder.getPodName();
    return holder.getContainer().isEmpty() ? pod : pod + "/" + holder.getContainer();
  }

  private static String attributes(Map<String, String> attributes) {
    return new TreeMap<>(attributes)
        .entrySet().stream()
            .map(attribute -> attribute.getKey() + ":" + attribute.getValue())
            .collect(Collectors.joining(" "));
  }

  /** {@code keelson devices watch}. */
  @Command(name = "watch", description = "Shows the devices, and again after each change.")
  static final class Watch extends ClientCommand {

    Watch(Terminal terminal) {
      super(terminal);
    }

    @Override
    int run(CriClient daemon) {
      daemon
          .devices()
          .watchDevices(WatchDevicesRequest.getDefaultInstance())
          .forEachRemaining(
              answer -> {
                print(answer, terminal().out());
                terminal().out().println();
              });
      return ExitCode.OK;
    }
  }

  /** {@code keelson devices attach}. */
  @Command(name = "attach", description = "Gives devices to a container that runs.")
  static final class Attach extends ClientCommand {

    @Parameters(paramLabel = "CONTAINER", description = "Its id or a prefix of it.")
    private String container = "";

    @Parameters(
        paramLabel = "REQUEST",
        description = "Such as vendor.example/device=1 or usb.keelson.io/phone=serial:0815.")
    private String request = "";

    Attach(Terminal terminal) {
      super(terminal);
    }

    @Override
    int run(CriClient daemon) {
      List<AllocatedDevices> held =
          daemon
              .devices()
              .attach(
                  AttachDevicesRequest.newBuilder()
                      .setContainerId(container)
                      .setRequest(request)
                      .build())
              .getAttachedList();
      for (AllocatedDevices devices : held) {
        devices
            .getDeviceIdsList()
            .forEach(id -> terminal().out().println(devices.getResource() + " " + id));
      }
      return ExitCode.OK;
    }
  }

  /** {@code keelson devices detach}. */
  @Command(name = "detach", description = "Takes devices from a container that runs.")
  static final class Detach extends ClientCommand {

    @Parameters(index = "0", paramLabel = "CONTAINER", description = "Its id or a prefix of it.")
    private String container = "";

    @Parameters(
        index = "1",
        paramLabel = "RESOURCE",
        description = "Such as vendor.example/device.")
    private String resource = "";

    @Parameters(
        index = "2..*",
        paramLabel = "DEVICE",
        arity = "0..*",
        description = "Ids of devices; all of the resource if there are none.")
    private List<String> ids = List.of();

    Detach(Terminal terminal) {
      super(terminal);
    }

    @Override
    int run(CriClient daemon) {
      var _ =
          daemon
              .devices()
              .detach(
                  DetachDevicesRequest.newBuilder()
                      .setContainerId(container)
                      .setResource(resource)
                      .addAllDeviceIds(ids)
                      .build());
      return ExitCode.OK;
    }
  }

  /** {@code keelson devices cdi}. */
  @Command(name = "cdi", description = "Lists the devices that the node's CDI specs define.")
  static final class Cdi extends ClientCommand {

    @Mixin private final OutputOptions output = new OutputOptions();

    @Option(
        names = "--write",
        description = "First writes specs of the built-in GPUs into the CDI folder.")
    private boolean write;

    Cdi(Terminal terminal) {
      super(terminal);
    }

    @Override
    int run(CriClient daemon) {
      if (write) {
        daemon
            .devices()
            .writeCdiSpecs(WriteCdiSpecsRequest.getDefaultInstance())
            .getFilesList()
            .forEach(file -> terminal().err().println("written: " + file));
      }
      ListCdiDevicesResponse answer =
          daemon.devices().listCdiDevices(ListCdiDevicesRequest.getDefaultInstance());
      if (output.isJson()) {
        terminal().out().println(OutputOptions.json(answer));
        return ExitCode.OK;
      }
      Table table = new Table("DEVICE", "SPEC");
      answer.getDevicesList().forEach(device -> table.row(device.getName(), device.getFile()));
      table.print(terminal().out());
      answer.getErrorsMap().forEach((file, why) -> terminal().err().println(file + ": " + why));
      return ExitCode.OK;
    }
  }
}
