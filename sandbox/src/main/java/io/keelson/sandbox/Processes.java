package io.keelson.sandbox;

import io.keelson.linux.ProcessId;
import io.keelson.proto.record.v1.Process;

/** Processes in records. */
final class Processes {

  private Processes() {}

  static Process toRecord(ProcessId process) {
    return Process.newBuilder().setPid(process.pid()).setStartTime(process.startTime()).build();
  }

  static ProcessId fromRecord(Process process) {
    return new ProcessId(process.getPid(), process.getStartTime());
  }
}
