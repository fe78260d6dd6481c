package io.keelson.runtime.streaming;

import io.keelson.sandbox.port.ExecSession;
import java.util.List;

/** What a token stands for. */
public sealed interface StreamRequest {

  /** The first part of the URL's path. */
  String kind();

  /** A command in a container, and the streams that its caller wants. */
  record Exec(String containerId, List<String> command, ExecSession.Wanted wanted)
      implements StreamRequest {
    public Exec {
      command = List.copyOf(command);
    }

    @Override
    public String kind() {
      return "exec";
    }
  }

  /** The streams of a container's workload. */
  record Attach(String containerId, ExecSession.Wanted wanted) implements StreamRequest {
    @Override
    public String kind() {
      return "attach";
    }
  }

  /**
   * Ports of a pod.
   *
   * @param ports for clients whose protocol can't name them; may be empty
   */
  record PortForward(String podId, List<Integer> ports) implements StreamRequest {
    public PortForward {
      ports = List.copyOf(ports);
    }

    @Override
    public String kind() {
      return "portforward";
    }
  }
}
