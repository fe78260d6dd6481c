package io.keelson.runtime.nri;

import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.keelson.proto.nri.v1alpha1.ConfigureRequest;
import io.keelson.proto.nri.v1alpha1.ConfigureResponse;
import io.keelson.proto.nri.v1alpha1.Empty;
import io.keelson.proto.nri.v1alpha1.Event;
import io.keelson.proto.nri.v1alpha1.StateChangeEvent;
import io.keelson.runtime.nri.PluginMeter.Outcome;
import io.keelson.runtime.nri.ttrpc.Peer;
import io.keelson.runtime.nri.ttrpc.StatusException;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connected plugin. It gets one call at a time, as plugins are used to; one that does not answer
 * in time, or has gone, is disconnected, and the call goes on as if it were not there. Safe for use
 * by many threads.
 */
final class Plugin {

  private static final Logger LOG = LoggerFactory.getLogger(Plugin.class);
  private static final String SERVICE = "nri.pkg.api.v1alpha1.Plugin";

  private static final Duration FAREWELL = Duration.ofMillis(500);

  /** Every event that there is, as a subscription. */
  static final int ALL_EVENTS = (1 << (Event.LAST_VALUE - 1)) - 1;

  private final PluginIdentity identity;
  private final Peer peer;
  private final NriSettings settings;
  private final PluginMeter meter;
  private final PluginStatistics statistics = new PluginStatistics();
  // Fair: a plugin hears of things in the order in which they happened.
  private final ReentrantLock turn = new ReentrantLock(true);
  private final Set<String> known = ConcurrentHashMap.newKeySet();
  private volatile int events;
  private volatile boolean gone;

  Plugin(PluginIdentity identity, Peer peer, NriSettings settings, PluginMeter meter) {
    this.identity = identity;
    this.peer = peer;
    this.settings = settings;
    this.meter = meter;
    peer.whenGone(_ -> gone = true);
  }

  PluginIdentity identity() {
    return identity;
  }

  /** {@code NN-name}, as in the folder of plugins. */
  String label() {
    return identity.label();
  }

  PluginStatistics statistics() {
    return statistics;
  }

  /** The names of the events that it wants, in the order of their numbers. */
  List<String> events() {
    return Arrays.stream(Event.values())
        .filter(event -> event != Event.UNRECOGNIZED && event != Event.LAST && wants(event))
        .map(Event::name)
        .toList();
  }

  boolean wants(Event event) {
    return event != Event.UNKNOWN && (events & (1 << (event.getNumber() - 1))) != 0;
  }

  boolean isGone() {
    return gone;
  }

  /** From now on it is told of the pod or container with this id. */
  void know(String id) {
    known.add(id);
  }

  boolean knows(String id) {
    return known.contains(id);
  }

  void forget(String id) {
    known.remove(id);
  }

  /** Keeps all calls but those of this thread waiting until {@link #endTurn}. */
  void takeTurn() {
    turn.lock();
  }

  void endTurn() {
    turn.unlock();
  }

  /** Tells it who we are and learns what it wants to hear. */
  void configure(ConfigureRequest request)
      throws IOException, StatusException, PluginRefusedException {
    ConfigureResponse answer =
        call("Configure", request, ConfigureResponse.parser(), settings.requestTimeout());
    int wanted = answer.getEvents() == 0 ? ALL_EVENTS : answer.getEvents();
    if ((wanted & ~ALL_EVENTS) != 0) {
      throw new PluginRefusedException(
          "it wants events that are unknown: 0x%x".formatted(wanted & ~ALL_EVENTS), null);
    }
    events = wanted;
  }

  /**
   * Asks the plugin if it wants to be asked.
   *
   * @return empty if it does not want to, or is gone or has just been disconnected
   * @throws PluginRefusedException if it answers with an error
   */
  <Q extends MessageLite, A> Optional<A> ask(PluginCall<Q, A> call, Q request)
      throws PluginRefusedException {
    if (!wants(call.event())) {
      return Optional.empty();
    }
    turn.lock();
    try {
      return gone ? Optional.empty() : askNow(call, request);
    } finally {
      turn.unlock();
    }
  }

  private <Q extends MessageLite, A> Optional<A> askNow(PluginCall<Q, A> call, Q request)
      throws PluginRefusedException {
    try {
      return Optional.of(call(call.method(), request, call.answer(), settings.requestTimeout()));
    } catch (StatusException e) {
      if (e.code() != StatusException.UNIMPLEMENTED) {
        throw refused(call.method(), e);
      }
      Optional<StateChangeEvent> older = call.older().apply(request);
      if (older.isPresent()) {
        stateChange(call.method(), older.get());
      }
      return Optional.empty();
    } catch (IOException e) {
      disconnect("%s: %s".formatted(call.method(), e.getMessage()));
      return Optional.empty();
    }
  }

  private void stateChange(String event, StateChangeEvent request) throws PluginRefusedException {
    try {
      call("StateChange", request, Empty.parser(), settings.requestTimeout());
    } catch (StatusException e) {
      if (e.code() != StatusException.UNIMPLEMENTED) {
        throw refused(event, e);
      }
    } catch (IOException e) {
      disconnect("%s: %s".formatted(event, e.getMessage()));
    }
  }

  private PluginRefusedException refused(String method, StatusException e) {
    return new PluginRefusedException(
        "NRI plugin %s: %s: %s".formatted(label(), method, e.getMessage()), e);
  }

  /** One call, whatever it wants to hear; the caller holds its turn, or it has no other yet. */
  <A> A call(String method, MessageLite request, Parser<A> answer, Duration timeout)
      throws IOException, StatusException {
    long began = System.nanoTime();
    Outcome outcome = Outcome.LOST;
    try {
      A answered = peer.call(SERVICE, method, request, answer, timeout);
      outcome = Outcome.ANSWERED;
      return answered;
    } catch (StatusException e) {
      outcome = Outcome.REFUSED;
      throw e;
    } finally {
      Duration time = Duration.ofNanos(System.nanoTime() - began);
      statistics.called(method, time, outcome);
      meter.called(label(), method, time, outcome);
    }
  }

  /** From now on it is as gone, whether or not its connection has ended yet. */
  void leave() {
    gone = true;
  }

  /** Says farewell and ends the connection, because the daemon ends. */
  void shutDown() {
    if (!gone && turn.tryLock()) {
      try {
        call("Shutdown", Empty.getDefaultInstance(), Empty.parser(), FAREWELL);
      } catch (IOException | StatusException e) {
        LOG.atDebug().addKeyValue("plugin", label()).setCause(e).log("no answer to Shutdown");
      } finally {
        turn.unlock();
      }
    }
    peer.close();
  }

  /** Ends the connection; harmless if it has ended. */
  void disconnect(String reason) {
    if (!gone) {
      LOG.atWarn()
          .addKeyValue("plugin", label())
          .addKeyValue("why", reason)
          .log("NRI plugin is disconnected; pods go on without it");
      peer.close(new IOException(reason));
    }
  }
}
