package io.keelson.runtime.server;

import io.grpc.stub.StreamObserver;
import io.keelson.image.Images;
import io.keelson.image.request.Cancellation;
import io.keelson.image.request.PullProgress;
import io.keelson.image.request.PullRequest;
import io.keelson.image.store.StoreCheck;
import io.keelson.proto.node.v1.CheckImagesRequest;
import io.keelson.proto.node.v1.CheckImagesResponse;
import io.keelson.proto.node.v1.ImageProgress;
import io.keelson.proto.node.v1.ImportImageRequest;
import io.keelson.proto.node.v1.NodeServiceGrpc.NodeServiceImplBase;
import io.keelson.proto.node.v1.PullImageRequest;
import io.keelson.sandbox.error.InvalidRequestException;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;

/** {@code keelson.node.v1}: what CRI has no call for. */
public final class NodeImageService extends NodeServiceImplBase {

  private final Images images;

  public NodeImageService(Images images) {
    this.images = images;
  }

  @Override
  public void pullImage(PullImageRequest request, StreamObserver<ImageProgress> answers) {
    answer(answers, (progress, cancellation) -> List.of(pull(request, progress, cancellation)));
  }

  @Override
  public void importImage(ImportImageRequest request, StreamObserver<ImageProgress> answers) {
    answer(answers, (progress, cancellation) -> importArchive(request, progress, cancellation));
  }

  @Override
  public void checkImages(CheckImagesRequest request, StreamObserver<CheckImagesResponse> answers) {
    Answers.one(answers, () -> message(images.check(Cancellations.ofCurrentCall())));
  }

  private static CheckImagesResponse message(StoreCheck.Report report) {
    CheckImagesResponse.Builder response =
        CheckImagesResponse.newBuilder()
            .setImages(report.images())
            .setLayers(report.layers())
            .setUnsealed(report.unsealed());
    for (StoreCheck.Finding finding : report.findings()) {
      response
          .addFindingsBuilder()
          .setSubject(finding.subject())
          .addAllImageIds(finding.images())
          .setProblem(finding.problem())
          .setRemedy(finding.remedy());
    }
    return response.build();
  }

  /** Work that gives the ids of images. */
  private interface Work {
    List<String> run(PullProgress progress, Cancellation cancellation) throws IOException;
  }

  private static void answer(StreamObserver<ImageProgress> answers, Work work) {
    Answers.one(
        answers,
        () -> {
          ProgressStream progress = new ProgressStream(answers);
          try {
            return done(work.run(progress, Cancellations.ofCurrentCall()));
          } finally {
            progress.end();
          }
        });
  }

  private String pull(PullImageRequest request, PullProgress progress, Cancellation cancellation)
      throws IOException {
    return images.pull(
        new PullRequest(
            Requests.image(request.getImage().getImage()),
            ImageMessages.credentials(request.getAuth()),
            progress,
            cancellation));
  }

  private List<String> importArchive(
      ImportImageRequest request, PullProgress progress, Cancellation cancellation)
      throws IOException {
    Path path;
    try {
      path = Path.of(request.getPath());
    } catch (InvalidPathException e) {
      throw new InvalidRequestException("not a path: " + e.getMessage(), e);
    }
    if (!path.isAbsolute()) {
      throw new InvalidRequestException("the archive's path must be absolute, not " + path);
    }
    String name = request.getName().isEmpty() ? null : request.getName();
    return images.importArchive(request.getFormat(), path, name, progress, cancellation);
  }

  private static ImageProgress done(List<String> ids) {
    return ImageProgress.newBuilder()
        .setPhase(ImageProgress.Phase.PHASE_DONE)
        .addAllImageIds(ids)
        .build();
  }
}
