package io.keelson.image.registry;

import io.keelson.image.reference.Digest;
import io.keelson.image.registry.hosts.Capability;
import io.keelson.image.request.Cancellation;
import io.keelson.image.source.CorruptContentException;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A part of a blob that arrives whole although connections break: goes on by range where the server
 * can, else begins anew and passes over what was had. Checks nothing but the length. For one
 * thread.
 */
final class BlobStream implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(BlobStream.class);
  private static final Pattern CONTENT_RANGE =
      Pattern.compile("bytes (\\d{1,18})-\\d{1,18}/(\\d{1,18}|\\*)");

  /** What has to come between two breaks for the second not to count as the next of a row. */
  private static final long PROGRESS = 1 << 20;

  private static final int PASSED_AT_ONCE = 64 * 1024;

  private final RepositoryHosts repository;
  private final Digest digest;
  private final long size;
  private final long end;
  private final boolean wantsRange;
  private final Cancellation cancellation;
  private final Pace pace;

  private @Nullable RepositoryClient host;
  private @Nullable HttpReply reply;
  private @Nullable InputStream body;
  private boolean acceptsRanges;
  private long position;
  private long positionAtBreak;
  private int breaks;

  private BlobStream(
      RepositoryHosts repository,
      Digest digest,
      long size,
      long start,
      long end,
      boolean wantsRange,
      Cancellation cancellation) {
    this.repository = repository;
    this.digest = digest;
    this.size = size;
    this.position = start;
    this.positionAtBreak = start;
    this.end = end;
    this.wantsRange = wantsRange;
    this.cancellation = cancellation;
    this.pace = new Pace(repository.origin().stallTimeout());
  }

  /**
   * All that follows a place.
   *
   * @param size of the blob in bytes; a server that has more is refused
   */
  static BlobStream from(
      RepositoryHosts repository, Digest digest, long size, long start, Cancellation cancellation) {
    return new BlobStream(repository, digest, size, start, size, false, cancellation);
  }

  /**
   * A part, and no byte more. Reading throws {@link RangeIgnoredException} if the server sends
   * another.
   *
   * @param end the first byte that is not wanted
   */
  static BlobStream part(
      RepositoryHosts repository,
      Digest digest,
      long size,
      long start,
      long end,
      Cancellation cancellation) {
    return new BlobStream(repository, digest, size, start, end, true, cancellation);
  }

  /** The server does not know ranges although it says so. */
  static final class RangeIgnoredException extends IOException {

    private static final long serialVersionUID = 1L;

    RangeIgnoredException() {
      super("the server ignores ranges");
    }
  }

  /** Whether its next bytes are those of a segment. */
  boolean isGoodFor(Segment segment, boolean part) {
    return position == segment.start() && segment.end() <= end && wantsRange == part;
  }

  /** Whether the server that was last asked says that it can send parts. */
  boolean acceptsRanges() {
    return acceptsRanges;
  }

  /**
   * @return how many bytes came, at least one; -1 at the end
   */
  int read(byte[] target, int offset, int length) throws IOException {
    while (position < end) {
      cancellation.check();
      try {
        InputStream from = body == null ? open() : body;
        int count = from.read(target, offset, (int) Math.min(length, end - position));
        if (count < 0) {
          throw new EOFException("closed after %d of %d bytes".formatted(position, end));
        }
        position += count;
        pace.came(count);
        if (position == size && from.read() >= 0) {
          throw new CorruptContentException(
              "blob %s is longer than the %d bytes that the manifest says".formatted(digest, size));
        }
        return count;
      } catch (CorruptContentException | RangeIgnoredException e) {
        throw e;
      } catch (IOException e) {
        recover(e);
      }
    }
    return -1;
  }

  private InputStream open() throws IOException {
    HttpReply next =
        repository.ask(
            Capability.PULL,
            asked -> {
              host = asked;
              HttpReply answer =
                  asked.openBlob(digest, position, wantsRange ? end : -1, cancellation);
              repository.served(digest, asked);
              return answer;
            });
    reply = next;
    long start = 0;
    if (next.status() == 206) {
      start = rangeStart(next);
      acceptsRanges = true;
    } else if (wantsRange) {
      throw new RangeIgnoredException();
    } else {
      acceptsRanges = "bytes".equalsIgnoreCase(next.header("Accept-Ranges"));
    }
    if (start > position) {
      throw new IOException("the server left out bytes: range from " + start);
    }
    InputStream opened = next.body();
    pace.restart();
    passOver(opened, position - start);
    body = opened;
    return opened;
  }

  /** What was had already: it must come as fast as what is new. */
  private void passOver(InputStream from, long count) throws IOException {
    byte[] passed = new byte[(int) Math.min(count, PASSED_AT_ONCE)];
    for (long left = count; left > 0; ) {
      int read = from.read(passed, 0, (int) Math.min(left, passed.length));
      if (read < 0) {
        throw new EOFException("closed %d bytes before byte %d".formatted(left, position));
      }
      left -= read;
      cancellation.check();
      pace.came(read);
    }
  }

  private long rangeStart(HttpReply reply) throws IOException {
    String range = String.valueOf(reply.header("Content-Range"));
    Matcher matcher = CONTENT_RANGE.matcher(range);
    if (!matcher.matches()) {
      throw new IOException("partial content without a range: " + range);
    }
    String total = matcher.group(2);
    if (!total.equals("*") && Long.parseLong(total) != size) {
      throw new CorruptContentException(
          "blob %s has %s bytes and not the %d that the manifest says"
              .formatted(digest, total, size));
    }
    return Long.parseLong(matcher.group(1));
  }

  private void recover(IOException e) {
    disconnect();
    cancellation.check();
    breaks = position - positionAtBreak >= PROGRESS ? 1 : breaks + 1;
    positionAtBreak = position;
    RepositoryClient from = host == null ? repository.origin() : host;
    if (!from.retries().mayRetry(breaks)) {
      if (from == repository.origin()) {
        throw from.unreachable("blob " + digest + " of " + repository.name(), e);
      }
      repository.leave(from, e);
      breaks = 0;
      return;
    }
    log.atInfo()
        .addKeyValue("blob", digest)
        .addKeyValue("received", position)
        .log("download of {} broke off, going on: {}", repository.name(), e.toString());
    from.retries().pause(breaks, e, cancellation);
  }

  private void disconnect() {
    if (reply != null) {
      reply.abort();
    }
    reply = null;
    body = null;
  }

  /** Ends the download; a connection whose bytes have all come is used again. */
  @Override
  public void close() {
    if (reply != null && position >= end) {
      reply.close();
      reply = null;
      body = null;
    }
    disconnect();
  }
}
