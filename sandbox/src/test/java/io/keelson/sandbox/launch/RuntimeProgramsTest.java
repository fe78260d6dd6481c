package io.keelson.sandbox.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.linux.Commands;
import io.keelson.linux.Commands.Output;
import io.keelson.linux.SpawnTally;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Programs from sealed memory. */
class RuntimeProgramsTest {

  @TempDir Path folder;

  private static String run(Path program, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(program.toString()));
    command.addAll(List.of(arguments));
    Output output = Commands.run(command, Map.of(), new byte[0], Duration.ofSeconds(10), 1000);
    return output.stdoutText();
  }

  @Test
  void theCopyRunsAndCannotBeWritten() throws IOException {
    Path program = Files.copy(Path.of("/bin/echo"), folder.resolve("echo"));
    try (RuntimePrograms programs = new RuntimePrograms()) {
      Path copy = programs.of(program);

      assertThat(copy).isNotEqualTo(program).isEqualTo(programs.of(program));
      assertThat(run(copy, "sealed")).isEqualTo("sealed\n");
      assertThatThrownBy(() -> Files.write(copy, new byte[] {0}, StandardOpenOption.WRITE))
          .isInstanceOf(IOException.class);
    }
  }

  @Test
  void itsStartsAreCountedByItsName() throws IOException {
    Path program = Files.copy(Path.of("/bin/echo"), folder.resolve("counted"));
    try (RuntimePrograms programs = new RuntimePrograms()) {
      Path copy = programs.of(program);
      run(copy);
      run(copy);

      assertThat(SpawnTally.counts())
          .containsEntry("counted", 2L)
          .doesNotContainKey(copy.getFileName().toString());
    }
  }

  @Test
  void anUpdateOfTheProgramIsWhatRunsNext() throws IOException {
    Path program = folder.resolve("program");
    Files.copy(Path.of("/bin/echo"), program);
    Path script = folder.resolve("new");
    Files.writeString(script, "#!/bin/sh\necho updated\n");
    Files.setPosixFilePermissions(script, Files.getPosixFilePermissions(program));
    try (RuntimePrograms programs = new RuntimePrograms()) {
      assertThat(run(programs.of(program), "old")).isEqualTo("old\n");

      Files.move(script, program, StandardCopyOption.REPLACE_EXISTING);

      assertThat(run(programs.of(program))).isEqualTo("updated\n");
    }
  }

  @Test
  void whatIsNotThereIsLeftToTheOneWhoStartsIt() {
    try (RuntimePrograms programs = new RuntimePrograms()) {
      assertThat(programs.of(folder.resolve("nowhere"))).isEqualTo(folder.resolve("nowhere"));
    }
  }
}
