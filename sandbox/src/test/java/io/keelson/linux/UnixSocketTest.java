package io.keelson.linux;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class UnixSocketTest {

  /** Prints one datagram; perl is on every Debian. */
  private static final String RECEIVER =
      """
      $| = 1;
      my $name = $ARGV[0] =~ s/^@/\\0/r;
      socket(S, AF_UNIX, SOCK_DGRAM, 0) && bind(S, pack("S a*", AF_UNIX, $name)) || die $!;
      print "listens\\n";
      recv(S, my $datagram, 4096, 0);
      print "$datagram\\n";
      """;

  @TempDir Path folder;

  @Test
  void datagramsGoToPathsAndToAbstractNames() throws Exception {
    String path = folder.resolve("socket").toString();
    for (String name : new String[] {path, "@" + path}) {
      Process receiver = new ProcessBuilder("perl", "-MSocket", "-e", RECEIVER, name).start();
      try {
        assertThat(receiver.inputReader().readLine()).isEqualTo("listens");
        try (Fd socket = UnixSocket.connectDatagrams(name)) {
          byte[] datagram = "hello".getBytes(US_ASCII);
          socket.write(datagram, 0, datagram.length);
        }
        assertThat(receiver.inputReader().readLine()).isEqualTo("hello");
      } finally {
        receiver.destroyForcibly().waitFor();
      }
    }
  }

  @Test
  void nobodyThereAndNamesThatAreTooLongAreErrors() {
    assertThatThrownBy(() -> UnixSocket.connectDatagrams(folder.resolve("none").toString()))
        .isInstanceOfSatisfying(ErrnoException.class, e -> assertThat(e.is(Errno.ENOENT)).isTrue());
    assertThatThrownBy(() -> UnixSocket.connectDatagrams("@" + "n".repeat(200)))
        .isInstanceOfSatisfying(
            ErrnoException.class, e -> assertThat(e.is(Errno.ENAMETOOLONG)).isTrue());
  }
}
