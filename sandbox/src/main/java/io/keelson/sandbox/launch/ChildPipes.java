package io.keelson.sandbox.launch;

import io.keelson.linux.Fd;
import io.keelson.linux.FdPoller;
import io.keelson.linux.PolledFd;
import io.keelson.linux.SpawnFiles;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The pipes to and from a child that is about to be started; closed, nothing of the start is left.
 */
final class ChildPipes implements AutoCloseable {

  private final FdPoller poller;
  private final List<PolledFd> ours = new ArrayList<>();
  private final List<Fd> childs = new ArrayList<>();
  private SpawnFiles files = SpawnFiles.none();

  ChildPipes(FdPoller poller) {
    this.poller = poller;
  }

  PolledFd toChild(int number) throws IOException {
    Fd[] ends = Fd.pipe();
    return open(number, ends[0], ends[1]);
  }

  PolledFd fromChild(int number) throws IOException {
    Fd[] ends = Fd.pipe();
    return open(number, ends[1], ends[0]);
  }

  /** Of which the child reads nothing but the end. */
  void nothingToChild(int number) throws IOException {
    Fd[] ends = Fd.pipe();
    ends[1].close();
    childs.add(ends[0]);
    files = files.fd(number, ends[0]);
  }

  private PolledFd open(int number, Fd child, Fd own) throws IOException {
    childs.add(child);
    files = files.fd(number, child);
    PolledFd polled = poller.register(own);
    ours.add(polled);
    return polled;
  }

  SpawnFiles files() {
    return files;
  }

  /** The child has them now, and our ends are in use. */
  void started() {
    ours.clear();
  }

  @Override
  public void close() {
    childs.forEach(Fd::close);
    ours.forEach(PolledFd::close);
  }
}
