package io.keelson.linux;

import com.sun.jna.Memory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One call of posix_spawn(3), all but made. */
final class SpawnCall implements AutoCloseable {

  private final String program;
  private final List<String> command;
  private final @Nullable Path cwd;
  private final boolean newSession;
  private final byte[] programBytes;
  private final SpawnActions actions;
  private final SpawnAttributes attributes;
  private final Memory arguments;
  private final Memory environment;
  private final int[] pid = new int[1];
  private int errno;

  SpawnCall(
      String program,
      List<String> command,
      List<String> variables,
      @Nullable Path cwd,
      SpawnFiles files,
      boolean newSession)
      throws ErrnoException {
    this.program = program;
    this.command = List.copyOf(command);
    this.cwd = cwd;
    this.newSession = newSession;
    programBytes = LibC.string(program);
    actions = new SpawnActions(files, cwd);
    attributes = new SpawnAttributes(newSession);
    arguments = strings(command);
    environment = strings(variables);
  }

  /** Makes the call, and no other: what is needed for it is at hand. */
  void run() {
    errno =
        LibC.posix_spawn(
            pid, programBytes, actions.memory(), attributes.memory(), arguments, environment);
  }

  /** The child, after {@link #run}. */
  Spawned started() throws IOException {
    if (errno != 0) {
      throw new ErrnoException(
          "posix_spawn(%s, %s, cwd %s)".formatted(program, command, cwd), errno);
    }
    SpawnTally.count(program);
    return Spawned.of(pid[0], newSession);
  }

  @Override
  public void close() {
    environment.close();
    arguments.close();
    attributes.close();
    actions.close();
  }

  /** The array of pointers that execve(2) wants, with the strings behind it in the same memory. */
  private static Memory strings(List<String> texts) {
    List<byte[]> encoded = new ArrayList<>(texts.size());
    long size = 8L * (texts.size() + 1);
    for (String text : texts) {
      byte[] bytes = LibC.string(text);
      encoded.add(bytes);
      size += bytes.length;
    }
    Memory memory = new Memory(size);
    long offset = 8L * (texts.size() + 1);
    for (int i = 0; i < encoded.size(); i++) {
      byte[] bytes = encoded.get(i);
      memory.setPointer(8L * i, memory.share(offset));
      memory.write(offset, bytes, 0, bytes.length);
      offset += bytes.length;
    }
    memory.setLong(8L * encoded.size(), 0);
    return memory;
  }
}
