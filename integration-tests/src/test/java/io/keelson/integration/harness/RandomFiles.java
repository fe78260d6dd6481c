package io.keelson.integration.harness;

import java.util.Random;

/**
 * Contents of files that compress as programs do, to about two fifths: stretches of noise, of words
 * that come again, and of what was there before.
 */
final class RandomFiles {

  private static final int WORDS = 2000;
  private static final int LARGEST = 4 << 20;

  private final Random random;
  private final byte[][] words = new byte[WORDS][];

  RandomFiles(long seed) {
    random = new Random(seed);
    for (int i = 0; i < WORDS; i++) {
      words[i] = new byte[3 + random.nextInt(10)];
      for (int j = 0; j < words[i].length; j++) {
        words[i][j] = (byte) ('a' + random.nextInt(26));
      }
    }
  }

  /** The next file; most are small, a few hold most of the bytes. */
  byte[] next() {
    int size = (int) Math.min(LARGEST, Math.exp(8.5 + 1.8 * random.nextGaussian()));
    byte[] content = new byte[size];
    int at = 0;
    while (at < size) {
      int length = Math.min(64 + random.nextInt(512), size - at);
      switch (random.nextInt(10)) {
        case 0, 1, 2 -> noise(content, at, length);
        case 3, 4 -> again(content, at, length);
        default -> text(content, at, length);
      }
      at += length;
    }
    return content;
  }

  private void noise(byte[] content, int at, int length) {
    byte[] noise = new byte[length];
    random.nextBytes(noise);
    System.arraycopy(noise, 0, content, at, length);
  }

  private void again(byte[] content, int at, int length) {
    int from = at <= length ? 0 : random.nextInt(at - length);
    System.arraycopy(content, from, content, at, Math.min(length, at - from));
  }

  private void text(byte[] content, int at, int length) {
    int end = at + length;
    while (at < end) {
      byte[] word = words[random.nextInt(WORDS)];
      int taken = Math.min(word.length, end - at);
      System.arraycopy(word, 0, content, at, taken);
      at += taken;
    }
  }
}
