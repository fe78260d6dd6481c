package io.keelson.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.record.v1.SandboxPhase;
import io.keelson.proto.record.v1.SandboxRecord;
import io.keelson.sandbox.RecordStore.Durability;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecordStoreTest {

  private static final SandboxRecord POD =
      SandboxRecord.newBuilder()
          .setId("ab12")
          .setConfig(PodSandboxConfig.newBuilder().putLabels("app", "web"))
          .setPhase(SandboxPhase.SANDBOX_PHASE_READY)
          .build();

  @TempDir Path directory;
  private RecordStore<SandboxRecord> store;

  @BeforeEach
  void open() throws IOException {
    store = new RecordStore<>(directory, SandboxRecord.parser());
  }

  @Test
  void aRecordIsReadAsWritten() throws IOException {
    store.save("ab12", POD, Durability.POWER);

    assertThat(store.loadAll().whole()).containsOnly(Map.entry("ab12", POD));
  }

  @Test
  void theLastWriteCounts() throws IOException {
    store.save("ab12", POD, Durability.DAEMON);
    SandboxRecord stopped = POD.toBuilder().setPhase(SandboxPhase.SANDBOX_PHASE_STOPPED).build();
    store.save("ab12", stopped, Durability.DAEMON);

    assertThat(store.load("ab12")).contains(stopped);
  }

  @Test
  void oneChangedBitMakesARecordBroken() throws IOException {
    store.save("ab12", POD, Durability.POWER);
    Path file = directory.resolve("ab12/record");
    byte[] content = Files.readAllBytes(file);
    content[content.length - 1] ^= 1;
    Files.write(file, content);

    RecordStore.Found<SandboxRecord> found = store.loadAll();
    assertThat(found.whole()).isEmpty();
    assertThat(found.broken().get("ab12")).contains("check sum");
  }

  @Test
  void anEmptyFileAndAFolderWithoutARecordAreBroken() throws IOException {
    Files.createDirectories(directory.resolve("empty"));
    Files.createFile(directory.resolve("empty/record"));
    Files.createDirectories(directory.resolve("none"));

    assertThat(store.loadAll().broken()).containsOnlyKeys("empty", "none");
  }

  @Test
  void deletingTwiceIsHarmless() throws IOException {
    store.save("ab12", POD, Durability.DAEMON);
    store.delete("ab12");
    store.delete("ab12");

    assertThat(store.load("ab12")).isEmpty();
    assertThat(directory).isEmptyDirectory();
  }
}
