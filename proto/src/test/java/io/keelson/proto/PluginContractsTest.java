package io.keelson.proto;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Descriptors.FileDescriptor;
import io.keelson.proto.dra.v1.DRAPluginGrpc;
import io.keelson.proto.drahealth.v1.DRAResourceHealthGrpc;
import io.keelson.proto.nri.v1alpha1.ContainerAdjustment;
import io.keelson.proto.pluginregistration.v1.PluginInfo;
import io.keelson.proto.podresources.v1.PodResources;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The contracts of plugins as compiled are those that the plugins of vendors speak. */
class PluginContractsTest {

  static Stream<Arguments> contracts() {
    return Stream.of(
        contract(
            "deviceplugin-v1beta1",
            io.keelson.proto.deviceplugin.v1beta1.Device.getDescriptor().getFile()),
        contract("pluginregistration-v1", PluginInfo.getDescriptor().getFile()),
        contract("podresources-v1", PodResources.getDescriptor().getFile()),
        contract("dra-v1", DRAPluginGrpc.getServiceDescriptor()),
        contract("dra-health-v1", DRAResourceHealthGrpc.getServiceDescriptor()),
        contract("nri-v1alpha1", ContainerAdjustment.getDescriptor().getFile()));
  }

  private static Arguments contract(String table, FileDescriptor compiled) {
    return Arguments.of(table, compiled);
  }

  private static Arguments contract(String table, io.grpc.ServiceDescriptor service) {
    var schema = (io.grpc.protobuf.ProtoFileDescriptorSupplier) service.getSchemaDescriptor();
    return contract(table, schema.getFileDescriptor());
  }

  /** Turns red for anything renamed, renumbered, retyped, left out or added. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("contracts")
  void compiledContractIsTheWireTable(String table, FileDescriptor compiled) throws IOException {
    List<String> facts = WireTable.parse(lines(table));

    assertThat(facts).as("facts of " + table).hasSizeGreaterThan(5);
    assertThat(WireTable.describe(compiled)).containsExactlyInAnyOrderElementsOf(facts);
  }

  private static List<String> lines(String table) throws IOException {
    try (InputStream in = PluginContractsTest.class.getResourceAsStream(table + ".wire.txt")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
    }
  }
}
