package io.keelson.integration;

import io.keelson.integration.harness.TestNode;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A root folder on xfs. */
class XfsIT extends FileSystemCases {

  @RegisterExtension static final TestNode node = TestNode.bare();

  XfsIT() {
    super(node, "xfs", 300, "mkfs.xfs", "-q");
  }
}
