package io.keelson.runtime.server;

import io.grpc.stub.StreamObserver;
import io.keelson.image.request.PullProgress;
import io.keelson.proto.node.v1.ImageProgress;
import io.keelson.proto.node.v1.ImageProgress.Phase;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Sends the progress of a pull to its caller. The layers' threads call it together; a layer that
 * moves on quickly is told of ten times a second at most.
 */
final class ProgressStream implements PullProgress {

  private static final long INTERVAL_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  private final StreamObserver<ImageProgress> observer;
  private final Map<String, Long> lastSent = new HashMap<>();
  private boolean ended;

  ProgressStream(StreamObserver<ImageProgress> observer) {
    this.observer = observer;
  }

  @Override
  public void resolved(String imageId, int layers, long totalBytes) {
    send("", Phase.PHASE_RESOLVING, 0, totalBytes);
  }

  @Override
  public void layerPresent(String layerDigest) {
    send(layerDigest, Phase.PHASE_EXISTS, 0, 0);
  }

  @Override
  public void layerReceived(String layerDigest, long received, long total) {
    if (isDue(layerDigest)) {
      send(
          layerDigest,
          received < total ? Phase.PHASE_FETCHING : Phase.PHASE_UNPACKING,
          received,
          total);
    }
  }

  @Override
  public void layerDone(String layerDigest) {
    send(layerDigest, Phase.PHASE_DONE, 0, 0);
  }

  /** The last message of the stream is the caller's to send; nothing comes from here after this. */
  synchronized void end() {
    ended = true;
  }

  private synchronized boolean isDue(String digest) {
    long now = System.nanoTime();
    Long last = lastSent.get(digest);
    if (last != null && now - last < INTERVAL_NANOS) {
      return false;
    }
    lastSent.put(digest, now);
    return true;
  }

  private synchronized void send(String digest, Phase phase, long done, long total) {
    if (!ended) {
      observer.onNext(
          ImageProgress.newBuilder()
              .setDigest(digest)
              .setPhase(phase)
              .setDoneBytes(done)
              .setTotalBytes(total)
              .build());
    }
  }
}
