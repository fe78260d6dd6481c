package io.keelson.image.pull;

import io.keelson.image.request.PullProgress;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps what a listener throws from the work that it listens to: it hears no more, and the work,
 * which may be that of other callers too, goes on. Each caller's listener is wrapped where it comes
 * in. Safe for use by many threads if the listener is.
 */
public final class GuardedProgress implements PullProgress {

  private static final Logger log = LoggerFactory.getLogger(GuardedProgress.class);

  private volatile PullProgress listener;

  public GuardedProgress(PullProgress listener) {
    this.listener = listener;
  }

  @Override
  public void resolved(String imageId, int layers, long totalBytes) {
    tell(to -> to.resolved(imageId, layers, totalBytes));
  }

  @Override
  public void layerPresent(String layerDigest) {
    tell(to -> to.layerPresent(layerDigest));
  }

  @Override
  public void layerReceived(String layerDigest, long received, long total) {
    tell(to -> to.layerReceived(layerDigest, received, total));
  }

  @Override
  public void layerDone(String layerDigest) {
    tell(to -> to.layerDone(layerDigest));
  }

  private void tell(Consumer<PullProgress> message) {
    try {
      message.accept(listener);
    } catch (RuntimeException e) {
      listener = PullProgress.NONE;
      log.atDebug().log("who heard of a pull's progress hears no more: {}", e.toString());
    }
  }
}
