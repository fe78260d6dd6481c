package io.keelson.runtime.server;

import io.grpc.stub.StreamObserver;
import io.keelson.image.Images;
import io.keelson.image.request.PullProgress;
import io.keelson.image.request.PullRequest;
import io.keelson.proto.cri.v1.Image;
import io.keelson.proto.cri.v1.ImageFilter;
import io.keelson.proto.cri.v1.ImageFsInfoRequest;
import io.keelson.proto.cri.v1.ImageFsInfoResponse;
import io.keelson.proto.cri.v1.ImageServiceGrpc.ImageServiceImplBase;
import io.keelson.proto.cri.v1.ImageStatusRequest;
import io.keelson.proto.cri.v1.ImageStatusResponse;
import io.keelson.proto.cri.v1.ListImagesRequest;
import io.keelson.proto.cri.v1.ListImagesResponse;
import io.keelson.proto.cri.v1.PullImageRequest;
import io.keelson.proto.cri.v1.PullImageResponse;
import io.keelson.proto.cri.v1.RemoveImageRequest;
import io.keelson.proto.cri.v1.RemoveImageResponse;
import io.keelson.proto.cri.v1.StreamImagesRequest;
import io.keelson.proto.cri.v1.StreamImagesResponse;
import io.keelson.sandbox.port.ImageDescription;
import java.io.IOException;
import java.util.Iterator;
import java.util.stream.Stream;

/** CRI v1's ImageService. */
public final class CriImageService extends ImageServiceImplBase {

  /** Images in one message of a stream: far below the size that clients take. */
  private static final int CHUNK = 500;

  private final Images images;

  public CriImageService(Images images) {
    this.images = images;
  }

  @Override
  public void listImages(ListImagesRequest request, StreamObserver<ListImagesResponse> answers) {
    Answers.one(answers, () -> list(request));
  }

  @Override
  public void streamImages(
      StreamImagesRequest request, StreamObserver<StreamImagesResponse> answers) {
    Iterator<ImageDescription> found = matching(request.getFilter()).iterator();
    do {
      StreamImagesResponse.Builder chunk = StreamImagesResponse.newBuilder();
      while (found.hasNext() && chunk.getImagesCount() < CHUNK) {
        chunk.addImages(message(found.next()));
      }
      answers.onNext(chunk.build());
    } while (found.hasNext());
    answers.onCompleted();
  }

  @Override
  public void imageStatus(ImageStatusRequest request, StreamObserver<ImageStatusResponse> answers) {
    Answers.one(answers, () -> status(request));
  }

  @Override
  public void pullImage(PullImageRequest request, StreamObserver<PullImageResponse> answers) {
    Answers.one(answers, () -> pull(request));
  }

  @Override
  public void removeImage(RemoveImageRequest request, StreamObserver<RemoveImageResponse> answers) {
    Answers.one(answers, () -> remove(request));
  }

  @Override
  public void imageFsInfo(ImageFsInfoRequest request, StreamObserver<ImageFsInfoResponse> answers) {
    Answers.one(answers, this::fsInfo);
  }

  private ListImagesResponse list(ListImagesRequest request) {
    ListImagesResponse.Builder response = ListImagesResponse.newBuilder();
    matching(request.getFilter()).map(this::message).forEach(response::addImages);
    return response.build();
  }

  private Stream<ImageDescription> matching(ImageFilter filter) {
    String wanted = filter.getImage().getImage();
    return wanted.isEmpty() ? images.list().stream() : images.status(wanted).stream();
  }

  private ImageStatusResponse status(ImageStatusRequest request) throws IOException {
    String reference = Requests.image(request.getImage().getImage());
    ImageStatusResponse.Builder response = ImageStatusResponse.newBuilder();
    images.status(reference).ifPresent(image -> response.setImage(message(image)));
    if (request.getVerbose() && response.hasImage()) {
      images.details(reference).ifPresent(d -> response.putInfo("info", ImageMessages.info(d)));
    }
    return response.build();
  }

  private PullImageResponse pull(PullImageRequest request) throws IOException {
    String id =
        images.pull(
            new PullRequest(
                Requests.image(request.getImage().getImage()),
                ImageMessages.credentials(request.getAuth()),
                PullProgress.NONE,
                Cancellations.ofCurrentCall()));
    return PullImageResponse.newBuilder().setImageRef(id).build();
  }

  private RemoveImageResponse remove(RemoveImageRequest request) throws IOException {
    images.remove(Requests.image(request.getImage().getImage()));
    return RemoveImageResponse.getDefaultInstance();
  }

  private ImageFsInfoResponse fsInfo() throws IOException {
    return ImageFsInfoResponse.newBuilder()
        .addImageFilesystems(ImageMessages.usage(images.imageUsage()))
        .addContainerFilesystems(ImageMessages.usage(images.containerUsage()))
        .build();
  }

  private Image message(ImageDescription image) {
    return ImageMessages.image(image, images.isPinned(image));
  }
}
