package io.keelson.runtime.cli;

import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code keelson bench}. */
@Command(
    name = "bench",
    description = {
      "Takes pods of one container through their life, one after another, and prints how long each"
          + " call took: median and 99th percentile, in milliseconds.",
      "With --against the same pods are run on other CRI runtimes in turn, pod by pod."
    })
final class BenchCommand extends ClientCommand {

  @Option(names = "--pods", paramLabel = "N", description = "How many pods count. Default: 50.")
  private int pods = 50;

  @Option(
      names = "--warm-up",
      paramLabel = "N",
      description = "How many pods are run before, which don't count. Default: 50.")
  private int warmUp = 50;

  @Option(
      names = "--against",
      paramLabel = "NAME[/HANDLER]=SOCKET=IMAGE",
      description = "Another runtime that has this image. May be given several times.")
  private List<String> against = List.of();

  @Parameters(
      index = "0",
      paramLabel = "IMAGE",
      description = "An image of this node with the commands sleep and true.")
  private String image = "";

  BenchCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int run(CriClient daemon) {
    List<BenchPeer> peers = new ArrayList<>();
    peers.add(new BenchPeer("keelson", "", image, daemon));
    try {
      against.forEach(peer -> peers.add(BenchPeer.parse(peer)));
      new PodBenchmark(peers).run(warmUp);
      PodBenchmark measured = new PodBenchmark(peers);
      measured.run(pods);
      measured.table().print(terminal().out());
    } finally {
      peers.stream().skip(1).forEach(peer -> peer.client().close());
    }
    return ExitCode.OK;
  }
}
