package io.keelson.cni.plugin;

import io.keelson.linux.Namespaces;
import io.keelson.linux.Threads;
import io.keelson.sandbox.NamedLocks;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.port.PodNetwork.Attachment;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The life of attachments: every ADD is followed by a DEL with the same configuration, whatever
 * happens in between (CNI spec 1.1, section 3, "Lifecycle &amp; Ordering"). Safe for use by many
 * threads.
 */
final class Attachments {

  private static final Logger log = LoggerFactory.getLogger(Attachments.class);

  private final AttachmentCache cache;
  private final PluginChain chain;
  private final Supplier<Optional<NetworkConfiguration>> current;

  /** A runtime must not run operations for one container in parallel (CNI spec, 3). */
  private final NamedLocks pods = new NamedLocks();

  /** Shared by all operations on pods, held alone by GC. */
  private final ReadWriteLock network = new ReentrantReadWriteLock(true);

  private final ForgottenPods forgotten = new ForgottenPods(this::deleteForgotten);

  /**
   * @param current the network that pods are attached to now; used to detach one whose cached
   *     attachment can't be read
   */
  Attachments(
      AttachmentCache cache, PluginChain chain, Supplier<Optional<NetworkConfiguration>> current) {
    this.cache = cache;
    this.chain = chain;
    this.current = current;
  }

  boolean isKnown(String sandboxId) {
    return cache.contains(sandboxId);
  }

  Attachment add(NetworkConfiguration configuration, AttachmentParameters parameters)
      throws IOException {
    String sandboxId = parameters.containerId();
    return exclusively(
        sandboxId,
        () -> {
          forgotten.remove(sandboxId);
          // an earlier attempt was cut off, and no ADD may follow an ADD
          List<PluginException> failures = deleteHeld(sandboxId, parameters.netns());
          if (!failures.isEmpty()) {
            throw PluginFailures.of(failures);
          }
          return addHeld(new CachedAttachment(configuration, parameters, Optional.empty()));
        });
  }

  private Attachment addHeld(CachedAttachment attempt) throws IOException {
    try {
      // else its DEL would be missing too, and what never began could not be ended
      chain.requireInstalled(attempt.network());
    } catch (PluginException e) {
      throw PluginFailures.of(List.of(e));
    }
    Future<?> durable = cache.begin(attempt);
    try {
      CniResult result = chain.add(attempt.network(), attempt.parameters());
      List<InetAddress> addresses = addresses(attempt, result);
      await(durable);
      cache.complete(attempt.withResult(result));
      byte[] json = Json.bytes(result.as(CniVersion.V1_1_0).json());
      return new Attachment(addresses, new String(json, StandardCharsets.UTF_8));
    } catch (PluginException e) {
      throw undo(attempt, PluginFailures.of(List.of(e)));
    } catch (IOException e) {
      throw undo(attempt, e);
    } catch (RuntimeException e) {
      throw undo(attempt, e);
    }
  }

  private static void await(Future<?> durable) throws IOException {
    try {
      durable.get();
    } catch (ExecutionException e) {
      throw new IOException("the attachment could not be remembered: " + e.getCause(), e);
    } catch (InterruptedException e) {
      throw Threads.interrupted("interrupted while an attachment was being remembered", e);
    }
  }

  private static List<InetAddress> addresses(CachedAttachment attempt, CniResult result) {
    try {
      return result.addresses(attempt.parameters().interfaceName());
    } catch (IOException e) {
      throw new OperationFailedException(
          "the result of CNI network " + attempt.network().name() + " " + e.getMessage(), e);
    }
  }

  /**
   * Takes back a failed ADD, of which any part may have been done. Answers the failure that caused
   * it.
   */
  private <E extends Exception> E undo(CachedAttachment attempt, E cause) {
    String sandboxId = attempt.parameters().containerId();
    // an ADD that was interrupted has to be taken back too
    boolean interrupted = Thread.interrupted();
    try {
      List<PluginException> failures =
          chain.delete(attempt.network(), attempt.parameters(), Optional.empty());
      failures.forEach(cause::addSuppressed);
      if (failures.isEmpty()) {
        cache.remove(sandboxId);
      } else {
        forgotten.add(sandboxId);
        log.atWarn()
            .addKeyValue("sandbox", sandboxId)
            .log("what a failed ADD made is not taken back yet: {}", failures);
      }
    } catch (IOException e) {
      cause.addSuppressed(e);
      forgotten.add(sandboxId);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
    return cause;
  }

  /**
   * @param netns {@code ""} if it is gone
   * @throws KeelsonException with all plugins' words if one has failed; the attachment is
   *     remembered still
   */
  void delete(String sandboxId, String netns) throws IOException {
    List<PluginException> failures = exclusively(sandboxId, () -> deleteHeld(sandboxId, netns));
    if (!failures.isEmpty()) {
      throw PluginFailures.of(failures);
    }
    forgotten.remove(sandboxId);
  }

  private List<PluginException> deleteHeld(String sandboxId, String netns) throws IOException {
    if (!cache.contains(sandboxId)) {
      return List.of();
    }
    Optional<CachedAttachment> cached = readable(sandboxId);
    List<PluginException> failures = List.of();
    if (cached.isPresent()) {
      CachedAttachment attachment = cached.get();
      failures =
          chain.delete(
              attachment.network(), attachment.parameters().withNetns(netns), attachment.result());
    }
    if (failures.isEmpty()) {
      cache.remove(sandboxId);
    }
    return failures;
  }

  /** What is remembered of a pod; if that can't be read, what an ADD would be now, if anything. */
  private Optional<CachedAttachment> readable(String sandboxId) {
    try {
      return cache.find(sandboxId);
    } catch (IOException e) {
      log.atWarn()
          .addKeyValue("sandbox", sandboxId)
          .log("detached with the configuration of today: {}", e.getMessage());
      return current
          .get()
          .map(
              configuration ->
                  new CachedAttachment(
                      configuration, PodParameters.of(sandboxId), Optional.empty()));
    }
  }

  /** CHECK. */
  void check(String sandboxId) throws IOException {
    exclusively(
        sandboxId,
        () -> {
          CachedAttachment attachment =
              cache
                  .find(sandboxId)
                  .orElseThrow(() -> new NotFoundException("no CNI attachment of " + sandboxId));
          CniResult result =
              attachment
                  .result()
                  .orElseThrow(
                      () -> new NotFoundException("CNI never attached " + sandboxId + " wholly"));
          try {
            chain.check(attachment.network(), attachment.parameters(), result);
          } catch (PluginException e) {
            throw PluginFailures.of(List.of(e));
          }
          return result;
        });
  }

  /** DEL for every pod but these, then GC of what no attachment remembers. Failures are logged. */
  void recover(Collection<String> known) throws IOException {
    Set<String> keep = new HashSet<>(known);
    for (String sandboxId : cache.sandboxIds()) {
      if (!keep.contains(sandboxId)) {
        forgotten.add(sandboxId);
      }
    }
    forgotten.retryAll();
    Optional<NetworkConfiguration> configuration = current.get();
    if (configuration.isPresent()) {
      collectGarbage(configuration.get(), keep);
    }
  }

  /** DEL once more for the pods where it failed, unless that is being done already. */
  void retryForgotten() {
    forgotten.retryUnlessBusy();
  }

  private void deleteForgotten(String sandboxId) throws IOException {
    List<PluginException> failures =
        exclusively(
            sandboxId,
            () -> {
              if (!forgotten.contains(sandboxId)) {
                return List.of(); // attached again meanwhile
              }
              List<PluginException> failed = deleteHeld(sandboxId, cachedNetns(sandboxId));
              if (failed.isEmpty()) {
                forgotten.remove(sandboxId);
              }
              return failed;
            });
    if (!failures.isEmpty()) {
      throw PluginFailures.of(failures);
    }
  }

  private String cachedNetns(String sandboxId) {
    String netns =
        readable(sandboxId).map(attachment -> attachment.parameters().netns()).orElse("");
    // Plugins stumble over a file that is left where a namespace was pinned.
    return !netns.isEmpty() && Namespaces.isNamespace(Path.of(netns)) ? netns : "";
  }

  private void collectGarbage(NetworkConfiguration configuration, Set<String> known)
      throws IOException {
    network.writeLock().lock();
    try {
      List<AttachmentParameters> valid = new ArrayList<>();
      for (String sandboxId : cache.sandboxIds()) {
        if (!known.contains(sandboxId)) {
          continue; // its DEL has failed, and perhaps GC gets further
        }
        Optional<CachedAttachment> cached = readable(sandboxId);
        if (cached.isPresent() && cached.get().network().name().equals(configuration.name())) {
          valid.add(cached.get().parameters());
        }
      }
      for (PluginException e : chain.collectGarbage(configuration, valid)) {
        log.warn("what nobody uses may be left in the network: {}", e.getMessage());
      }
    } finally {
      network.writeLock().unlock();
    }
  }

  private <T> T exclusively(String sandboxId, Operation<T> operation) throws IOException {
    try (NamedLocks.Held _ = pods.hold(sandboxId)) {
      network.readLock().lock();
      try {
        return operation.run();
      } finally {
        network.readLock().unlock();
      }
    }
  }

  private interface Operation<T> {
    T run() throws IOException;
  }
}
