package io.keelson.image.source;

import io.keelson.image.archive.FolderTar;
import io.keelson.image.reference.Digest;
import io.keelson.image.request.Cancellation;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;

/**
 * A root file system in a folder, which is copied. It is read twice: what it holds names the image,
 * and a folder that changes meanwhile is refused.
 */
final class RootFolder implements Store {

  private final MadeImage made = new MadeImage();

  @Override
  public String format() {
    return "dir";
  }

  @Override
  public List<ImageArchive.Named> images(ImagePlace place) throws IOException {
    Path folder = place.folder();
    Digest diffId =
        TarStream.digest((out, check) -> FolderTar.write(folder, out, check), place.cancellation());
    return List.of(made.of(place, diffId, new LayerForm.Tar(), made.settings(), List.of()));
  }

  @Override
  public InputStream open(ImagePlace place, LayerBlob layer, Cancellation cancellation)
      throws IOException {
    return TarStream.open((out, check) -> FolderTar.write(place.path(), out, check), cancellation);
  }
}
