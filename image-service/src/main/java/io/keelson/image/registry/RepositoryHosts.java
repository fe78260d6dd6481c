package io.keelson.image.registry;

import io.keelson.image.reference.Digest;
import io.keelson.image.registry.hosts.Capability;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.error.OperationFailedException;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One repository on all hosts that may serve it: mirrors in their order, the registry itself at the
 * end. A host that fails is left out for the rest of the pull, and what is said in the end is what
 * the last host said. Safe for use by many threads.
 */
final class RepositoryHosts {

  private static final Logger log = LoggerFactory.getLogger(RepositoryHosts.class);

  private final List<RepositoryClient> hosts;
  private final Set<RepositoryClient> failed = ConcurrentHashMap.newKeySet();

  /** Who gave something of a blob since it was last distrusted. */
  private final Map<Digest, Set<RepositoryClient>> servers = new ConcurrentHashMap<>();

  private final Map<Digest, Set<RepositoryClient>> distrusted = new ConcurrentHashMap<>();

  /**
   * @param hosts at least one
   */
  RepositoryHosts(List<RepositoryClient> hosts) {
    this.hosts = List.copyOf(hosts);
  }

  /** A question to one host. */
  @FunctionalInterface
  interface Question<T> {
    T ask(RepositoryClient host) throws IOException;
  }

  /** The registry and repository by name. */
  String name() {
    return hosts.getLast().name();
  }

  /** The registry itself: how patient one is with it, and what its trouble is called. */
  RepositoryClient origin() {
    return hosts.getLast();
  }

  /**
   * The first good answer.
   *
   * @throws OperationFailedException if no host may be asked for that
   */
  <T> T ask(Capability capability, Question<T> question) throws IOException {
    List<RepositoryClient> able = hosts.stream().filter(host -> host.can(capability)).toList();
    List<RepositoryClient> well = able.stream().filter(host -> !failed.contains(host)).toList();
    List<RepositoryClient> asked = well.isEmpty() ? able : well;
    for (int i = 0; i < asked.size(); i++) {
      RepositoryClient host = asked.get(i);
      try {
        return question.ask(host);
      } catch (IOException e) {
        if (i == asked.size() - 1) {
          throw e;
        }
        leave(host, e);
      } catch (KeelsonException e) {
        if (i == asked.size() - 1) {
          throw e;
        }
        leave(host, e);
      }
    }
    throw new OperationFailedException(
        "no host of registry %s may be asked to %s"
            .formatted(name(), capability == Capability.RESOLVE ? "resolve a tag" : "pull"));
  }

  /** The host gives a blob's content, or a part of it. */
  void served(Digest blob, RepositoryClient host) {
    servers.computeIfAbsent(blob, any -> ConcurrentHashMap.newKeySet()).add(host);
  }

  /**
   * What was served of the blob was not it. Who did is left out for the rest of the pull; not so
   * the registry itself, which may have been the one of several that was right.
   *
   * @return whether asking again means asking others
   */
  boolean distrust(Digest blob, IOException failure) {
    Set<RepositoryClient> known =
        distrusted.computeIfAbsent(blob, any -> ConcurrentHashMap.newKeySet());
    Set<RepositoryClient> served = servers.remove(blob);
    boolean others = false;
    for (RepositoryClient host : served == null ? Set.<RepositoryClient>of() : served) {
      if (!host.equals(origin()) && known.add(host)) {
        leave(host, failure);
        others = true;
      }
    }
    return others;
  }

  /** The host has failed in a way that is not for {@link #ask} to see; others come first now. */
  void leave(RepositoryClient host, Exception failure) {
    // A mirror that lacks one thing may have others.
    if (!(failure instanceof NotFoundException)) {
      failed.add(host);
    }
    log.atInfo()
        .addKeyValue("host", host.address())
        .log("{} is asked for at the next host: {}", name(), failure.getMessage());
  }
}
