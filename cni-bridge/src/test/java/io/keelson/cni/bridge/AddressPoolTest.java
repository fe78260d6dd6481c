package io.keelson.cni.bridge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.linux.netlink.IpPrefix;
import io.keelson.sandbox.error.ResourceExhaustedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AddressPoolTest {

  private static final IpPrefix SMALL = IpPrefix.parse("10.1.0.0/29"); // hosts 2 to 6
  private static final IpPrefix IPV6 = IpPrefix.parse("fd00::/64");

  @TempDir private Path directory;

  @Test
  void bothFamiliesHaveTheSameHostNumber() throws IOException {
    try (AddressPool pool = pool(SMALL, IPV6)) {
      pool.lease("a");
      assertThat(pool.lease("b").addresses())
          .containsExactly(IpPrefix.parse("10.1.0.3/29"), IpPrefix.parse("fd00::3/64"));
      assertThat(pool.lease("b")).isEqualTo(pool.lease("b"));
    }
  }

  @Test
  void everyAddressIsGivenOnceAndNoneIsLost() throws IOException {
    try (AddressPool pool = pool(SMALL)) {
      List<Lease> leases = new ArrayList<>();
      for (int pod = 0; pod < 5; pod++) {
        leases.add(pool.lease("pod" + pod));
      }
      assertThat(leases).extracting(Lease::addresses).doesNotHaveDuplicates();
      assertThatThrownBy(() -> pool.lease("late")).isInstanceOf(ResourceExhaustedException.class);
      pool.release("pod3");
      assertThat(pool.lease("late").addresses()).isEqualTo(leases.get(3).addresses());
    }
    // nothing but the files goes over to the next life
    try (AddressPool pool = pool(SMALL)) {
      assertThat(pool.holders()).containsExactlyInAnyOrder("pod0", "pod1", "pod2", "pod4", "late");
      assertThatThrownBy(() -> pool.lease("more")).isInstanceOf(ResourceExhaustedException.class);
      pool.release("late");
      pool.release("late");
      assertThat(pool.lease("more").addresses()).containsExactly(IpPrefix.parse("10.1.0.5/29"));
    }
  }

  @Test
  void leasesOfAnotherSubnetStayUntilTheyAreGivenBack() throws IOException {
    try (AddressPool pool = pool(SMALL)) {
      pool.lease("old");
    }
    try (AddressPool pool = pool(IpPrefix.parse("10.2.0.0/30"))) {
      assertThat(pool.lease("new").addresses()).containsExactly(IpPrefix.parse("10.2.0.2/30"));
      assertThat(pool.find("old").orElseThrow().addresses())
          .containsExactly(IpPrefix.parse("10.1.0.2/29"));
      pool.release("old");
      assertThat(pool.holders()).containsExactly("new");
    }
  }

  @Test
  void aDamagedNoteOfTheLastAddressIsNoObstacle() throws IOException {
    Files.writeString(directory.resolve("last"), "rubbish\nmore");
    try (AddressPool pool = pool(SMALL)) {
      assertThat(pool.lease("a").addresses()).hasSize(1);
    }
  }

  @Test
  void anIdThatLeadsOutOfTheFolderIsRefused() throws IOException {
    try (AddressPool pool = pool(SMALL)) {
      assertThatThrownBy(() -> pool.lease("../a")).isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> pool.release("../last"))
          .isInstanceOf(IllegalArgumentException.class);
      assertThat(pool.holders()).isEmpty();
    }
  }

  private AddressPool pool(IpPrefix... subnets) throws IOException {
    return new AddressPool(directory, List.of(subnets));
  }
}
