package io.keelson.image.registry;

import io.keelson.image.Cancellation;
import io.keelson.image.reference.Digest;
import io.keelson.image.registry.hosts.Capability;
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
 * A blob that arrives whole although connections break: goes on by range where the server can, else
 * begins anew and passes over what was had. Checks nothing but the length. For one thread.
 */
final class BlobStream extends InputStream {

  private static final Logger log = LoggerFactory.getLogger(BlobStream.class);
  private static final Pattern CONTENT_RANGE = Pattern.compile("bytes (\\d{1,18})-.*");

  /** What has to come between two breaks for the second not to count as the next of a row. */
  private static final long PROGRESS = 1 << 20;

  private final RepositoryHosts repository;
  private final Digest digest;
  private final long size;
  private final Cancellation cancellation;

  private @Nullable RepositoryClient host;
  private @Nullable HttpReply reply;
  private @Nullable InputStream body;
  private long received;
  private long receivedAtBreak;
  private int breaks;

  /**
   * @param size of the blob in bytes
   */
  BlobStream(RepositoryHosts repository, Digest digest, long size, Cancellation cancellation) {
    this.repository = repository;
    this.digest = digest;
    this.size = size;
    this.cancellation = cancellation;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    while (true) {
      cancellation.check();
      try {
        InputStream from = body == null ? open() : body;
        int count = from.read(target, offset, length);
        if (count >= 0) {
          received += count;
          return count;
        }
        if (received >= size) {
          return -1;
        }
        throw new EOFException("closed after %d of %d bytes".formatted(received, size));
      } catch (CorruptContentException e) {
        throw e;
      } catch (IOException e) {
        recover(e);
      }
    }
  }

  private InputStream open() throws IOException {
    HttpReply next =
        repository.ask(
            Capability.PULL,
            asked -> {
              host = asked;
              return asked.openBlob(digest, received, cancellation);
            });
    reply = next;
    long start = next.status() == 206 ? rangeStart(next) : 0;
    if (start > received) {
      throw new IOException("the server left out bytes: range from " + start);
    }
    InputStream opened = next.body();
    opened.skipNBytes(received - start);
    body = opened;
    return opened;
  }

  private static long rangeStart(HttpReply reply) throws IOException {
    String range = String.valueOf(reply.header("Content-Range"));
    Matcher matcher = CONTENT_RANGE.matcher(range);
    if (!matcher.matches()) {
      throw new IOException("partial content without a range: " + range);
    }
    return Long.parseLong(matcher.group(1));
  }

  private void recover(IOException e) {
    disconnect();
    cancellation.check();
    breaks = received - receivedAtBreak >= PROGRESS ? 1 : breaks + 1;
    receivedAtBreak = received;
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
        .addKeyValue("received", received)
        .log("download of {} broke off, going on: {}", repository.name(), e.toString());
    from.retries().pause(breaks, null, cancellation);
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
    if (reply != null && received >= size) {
      reply.close();
      reply = null;
      body = null;
    }
    disconnect();
  }
}
