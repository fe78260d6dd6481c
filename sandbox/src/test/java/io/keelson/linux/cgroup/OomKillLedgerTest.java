package io.keelson.linux.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Over folders with the files of version 2, so that groups go at the worst of moments. */
class OomKillLedgerTest {

  private static final long T = TimeUnit.SECONDS.toNanos(1000);
  private static final long MUCH_LATER = T + TimeUnit.MINUTES.toNanos(1);
  private static final String POD = "/slice/pod.slice";
  private static final String A = POD + "/a.scope";
  private static final String B = POD + "/b.scope";

  @TempDir Path root;
  private Cgroups cgroups;
  private OomKillLedger ledger;

  @BeforeEach
  void makePod() throws IOException {
    Path pod = Files.createDirectories(resolve(POD));
    Files.writeString(pod.resolve("memory.events"), events(0));
    cgroups = new CgroupsV2(root);
    ledger = new OomKillLedger(cgroups);
  }

  private Path resolve(String group) {
    return root.resolve(group.substring(1));
  }

  private static String events(long kills) {
    return "low 0\nhigh 0\nmax 7\noom 1\noom_kill " + kills + "\noom_group_kill 0\n";
  }

  private void begin(String group) throws IOException {
    ledger.begin(group);
    Path folder = Files.createDirectory(resolve(group));
    Files.writeString(folder.resolve("memory.events"), events(0));
    Files.writeString(folder.resolve("memory.events.local"), events(0));
  }

  /** As the kernel does: it counts in the group and in the one above it. */
  private void kill(String group, int times) throws IOException {
    Path folder = resolve(group);
    for (Path file :
        new Path[] {
          folder.resolve("memory.events.local"),
          folder.resolve("memory.events"),
          Objects.requireNonNull(folder.getParent()).resolve("memory.events")
        }) {
      long before = CgroupFolders.value(Files.readString(file), "oom_kill");
      Files.writeString(file, events(before + times));
    }
  }

  private void remove(String group) throws IOException {
    try (Stream<Path> files = Files.list(resolve(group))) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Files.delete(file);
      }
    }
    Files.delete(resolve(group));
  }

  @Test
  void aGroupThatWentBeforeItWasAskedAfterIsToldByItsParent() throws IOException {
    begin(A);
    kill(A, 2);
    remove(A);
    assertThat(ledger.end(A, true, T)).isTrue();
  }

  @Test
  void aGroupThatIsThereTellsItself() throws IOException {
    begin(A);
    begin(B);
    kill(A, 1);
    assertThat(ledger.end(B, true, T)).isFalse();
    assertThat(ledger.end(A, true, T)).isTrue();
  }

  @Test
  void aKillFromOutsideIsNoLackOfMemory() throws IOException {
    begin(A);
    remove(A);
    assertThat(ledger.end(A, true, T)).isFalse();
  }

  @Test
  void whatHappenedToNeighboursIsNotToldOfOthers() throws IOException {
    begin(A);
    begin(B);
    String c = POD + "/c.scope";
    begin(c);
    kill(A, 1); // a lives on without one of its processes
    kill(B, 3);
    remove(B);
    assertThat(ledger.end(B, true, T)).isTrue();
    remove(c);
    assertThat(ledger.end(c, true, MUCH_LATER)).isFalse();
    remove(A);
    assertThat(ledger.end(A, true, MUCH_LATER)).isTrue();
  }

  @Test
  void aGroupThatIsRemovedAfterItWasToldIsNotToldAgain() throws IOException {
    begin(A);
    begin(B);
    kill(A, 1);
    assertThat(ledger.end(A, true, T)).isTrue();
    remove(B);
    assertThat(ledger.end(B, true, T)).as("while a is still there").isFalse();
    String c = POD + "/c.scope";
    begin(c);
    remove(A);
    remove(c);
    assertThat(ledger.end(c, true, T)).as("when it has gone").isFalse();
  }

  @Test
  void oneThatEndedByItselfAtTheSameMomentTakesNothingFromTheOneThatWasKilled() throws IOException {
    begin(A);
    begin(B);
    kill(A, 1);
    remove(A);
    remove(B);
    assertThat(ledger.end(B, false, T)).isFalse();
    assertThat(ledger.end(A, true, T)).isTrue();
  }

  @Test
  void allThatWentAtOnceByALimitOfThePodAreTold() throws IOException {
    begin(A);
    begin(B);
    kill(A, 1);
    kill(B, 1);
    remove(A);
    remove(B);
    assertThat(ledger.end(A, true, T)).isTrue();
    assertThat(ledger.end(B, true, T + 1000)).isTrue();
    begin(A);
    remove(A);
    assertThat(ledger.end(A, true, MUCH_LATER)).isFalse();
  }

  @Test
  void killsBeforeTheFirstBeginningAreThoseOfStrangers() throws IOException {
    begin(A);
    kill(A, 4);
    remove(A);
    ledger.forget(POD);
    begin(B);
    remove(B);
    assertThat(ledger.end(B, true, T)).isFalse();
  }

  @Test
  void theNextDaemonKnowsWhatHasBeenTold() throws IOException {
    begin(A);
    begin(B);
    kill(A, 1);
    remove(A);
    assertThat(ledger.end(A, true, T)).isTrue();

    OomKillLedger next = new OomKillLedger(cgroups);
    next.recall(A, ledger.told(A));
    next.recall(B, 0);
    remove(B);
    assertThat(next.end(B, true, T)).isFalse();
  }

  @Test
  void anotherParentOfTheSameNameBeginsAnew() throws IOException {
    begin(A);
    kill(A, 3);
    remove(A);
    assertThat(ledger.end(A, true, T)).isTrue();
    Files.writeString(resolve(POD).resolve("memory.events"), events(0));
    begin(B);
    kill(B, 1);
    remove(B);
    assertThat(ledger.end(B, true, MUCH_LATER)).isTrue();
  }

  @Test
  void aParentThatHasGoneTooTellsNothing() throws IOException {
    begin(A);
    kill(A, 1);
    remove(A);
    Files.delete(resolve(POD).resolve("memory.events"));
    Files.delete(resolve(POD));
    assertThat(ledger.end(A, true, T)).isFalse();
    assertThat(cgroups.exists(POD)).isFalse();
  }
}
