package io.keelson.image.manifest;

import java.util.List;

/** What a reference leads to: one image or artifact, or a choice of them. */
public sealed interface Manifest {

  /** One image. */
  record Image(Descriptor config, List<Descriptor> layers) implements Manifest {
    public Image {
      layers = List.copyOf(layers);
    }
  }

  /**
   * Content that is no container image (OCI image spec, "Guidelines for Artifact Usage").
   *
   * @param layers without the empty descriptor, which stands for none
   */
  record Artifact(List<Descriptor> layers) implements Manifest {
    public Artifact {
      layers = List.copyOf(layers);
    }
  }

  /** An image index or manifest list: manifests to choose from by platform. */
  record Index(List<Descriptor> manifests) implements Manifest {
    public Index {
      manifests = List.copyOf(manifests);
    }
  }
}
