package io.keelson.runtime;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The rules of DESIGN.md that a compiler can't hold. This module sees all others. */
class ArchitectureTest {

  private static JavaClasses production;

  @BeforeAll
  static void readClasses() {
    production =
        new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            // Thousands of generated classes; the module has no dependency that could be wrong.
            .withImportOption(location -> !location.contains("/io/keelson/proto/"))
            .importPackages("io.keelson");
  }

  @Test
  void allModulesAreSeen() {
    // Without this a rule over a package that was renamed would hold for lack of classes.
    for (String name : new String[] {"linux", "sandbox", "cni", "image", "runtime"}) {
      assertThat(production.stream())
          .as("classes of io.keelson." + name)
          .anyMatch(c -> c.getPackageName().startsWith("io.keelson." + name));
    }
  }

  @Test
  void arrowsRunDownTheListOfModules() {
    layeredArchitecture()
        .consideringOnlyDependenciesInAnyPackage("io.keelson..")
        .withOptionalLayers(true)
        .layer("linux")
        .definedBy("io.keelson.linux..")
        .layer("sandbox")
        .definedBy("io.keelson.sandbox..")
        .layer("cni")
        .definedBy("io.keelson.cni..")
        .layer("image")
        .definedBy("io.keelson.image..")
        .layer("device")
        .definedBy("io.keelson.device..")
        .layer("csi")
        .definedBy("io.keelson.csi..")
        .layer("runtime")
        .definedBy("io.keelson.runtime..")
        .whereLayer("runtime")
        .mayNotBeAccessedByAnyLayer()
        .whereLayer("cni")
        .mayOnlyBeAccessedByLayers("runtime")
        .whereLayer("image")
        .mayOnlyBeAccessedByLayers("runtime")
        .whereLayer("device")
        .mayOnlyBeAccessedByLayers("runtime")
        .whereLayer("csi")
        .mayOnlyBeAccessedByLayers("runtime")
        .whereLayer("sandbox")
        .mayOnlyBeAccessedByLayers("cni", "image", "device", "csi", "runtime")
        .whereLayer("linux")
        .mayNotAccessAnyLayer()
        .check(production);
  }

  @Test
  void packagesHaveNoCycles() {
    slices().matching("io.keelson.(**)").should().beFreeOfCycles().check(production);
  }

  /**
   * The edges: the daemon's own server, its command line, and the clients of plugins and
   * collectors.
   */
  @Test
  void onlyTheEdgesKnowStatusCodes() {
    noClasses()
        .that()
        .resideOutsideOfPackages(
            "io.keelson.runtime.server..",
            "io.keelson.runtime.cli..",
            "io.keelson.runtime.collector..",
            "io.keelson.sandbox.rpc..",
            "io.keelson.device..",
            "io.keelson.csi..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("io.grpc..")
        .check(production);
  }

  @Test
  void onlyTheKernelPackageCallsNativeCode() {
    noClasses()
        .that()
        .resideOutsideOfPackages("io.keelson.linux..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("com.sun.jna..")
        .check(production);
  }

  @Test
  void onlyTheDaemonPutsThePartsTogether() {
    noClasses()
        .that()
        .resideOutsideOfPackages("io.keelson.runtime.daemon..", "io.keelson.cni..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("io.keelson.cni..")
        .check(production);
    classes()
        .that()
        .haveFullyQualifiedName("io.keelson.runtime.daemon.Daemon")
        .should()
        .onlyBeAccessed()
        .byAnyPackage("io.keelson.runtime.daemon..", "io.keelson.runtime.cli..")
        .check(production);
  }

  @Test
  void staticsHoldNoState() {
    fields().that().areStatic().should().beFinal().check(production);
  }
}
