package io.keelson.runtime.cli;

import io.keelson.proto.cri.v1.AuthConfig;
import io.keelson.proto.cri.v1.ImageSpec;
import io.keelson.proto.node.v1.ImageProgress;
import io.keelson.proto.node.v1.PullImageRequest;
import java.io.BufferedReader;
import java.io.Console;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code keelson pull}. */
@Command(name = "pull", description = "Pulls an image from its registry and prints its id.")
final class PullCommand extends ClientCommand {

  @Parameters(
      paramLabel = "IMAGE",
      description =
          "A name with a tag or a digest. Or a place on this host: " + ImageLocation.HELP + ".")
  private String image = "";

  @Option(names = "--name", description = "Gives an image of this host this name.")
  private String name = "";

  @Option(
      names = {"-u", "--username"},
      description = "Log in to the registry; the password is read from standard input.")
  private @Nullable String username;

  @Mixin private final LoginFlags login = new LoginFlags();

  PullCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int run(CriClient daemon) throws IOException {
    Optional<ImageLocation> location = ImageLocation.of(image);
    ProgressView view = new ProgressView(terminal(), "pulling " + image);
    Iterator<ImageProgress> progress =
        location.isPresent() ? location.get().importInto(daemon, name) : pull(daemon);
    for (String id : view.show(progress)) {
      terminal().out().println(id);
    }
    return ExitCode.OK;
  }

  private Iterator<ImageProgress> pull(CriClient daemon) throws IOException {
    if (!name.isEmpty()) {
      throw CommandException.usage("--name is for images of this host; others have names");
    }
    PullImageRequest.Builder request =
        PullImageRequest.newBuilder().setImage(ImageSpec.newBuilder().setImage(image));
    request.setAuth(
        username == null
            ? login.of(image)
            : AuthConfig.newBuilder().setUsername(username).setPassword(password()).build());
    return daemon.node().pullImage(request.build());
  }

  private static String password() throws IOException {
    Optional<Console> console = Optional.ofNullable(System.console()).filter(Console::isTerminal);
    if (console.isPresent()) {
      char[] typed = console.get().readPassword("Password: ");
      return typed == null ? "" : new String(typed);
    }
    String line =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)).readLine();
    return line == null ? "" : line;
  }
}
