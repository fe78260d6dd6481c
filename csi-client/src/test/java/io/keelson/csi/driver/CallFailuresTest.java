package io.keelson.csi.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.keelson.sandbox.error.DeadlineExceededException;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.error.ResourceExhaustedException;
import io.keelson.sandbox.error.UnavailableException;
import io.keelson.sandbox.error.UnsupportedException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CallFailuresTest {

  /** A retry of any other would do harm, or never succeed. */
  @ParameterizedTest
  @EnumSource(Status.Code.class)
  void onlyWhatMayPassIsTriedAgain(Status.Code code) {
    boolean again =
        switch (code) {
          case ABORTED, DEADLINE_EXCEEDED, UNAVAILABLE, RESOURCE_EXHAUSTED, CANCELLED -> true;
          case OK,
              UNKNOWN,
              INVALID_ARGUMENT,
              NOT_FOUND,
              ALREADY_EXISTS,
              PERMISSION_DENIED,
              FAILED_PRECONDITION,
              OUT_OF_RANGE,
              UNIMPLEMENTED,
              INTERNAL,
              DATA_LOSS,
              UNAUTHENTICATED ->
              false;
        };
    assertThat(CallFailures.isTransient(code)).isEqualTo(again);
  }

  @Test
  void callersAreToldWhatTheyCanActOn() {
    assertThat(failure(Status.NOT_FOUND)).isInstanceOf(NotFoundException.class);
    assertThat(failure(Status.OUT_OF_RANGE)).isInstanceOf(InvalidRequestException.class);
    assertThat(failure(Status.FAILED_PRECONDITION)).isInstanceOf(FailedPreconditionException.class);
    assertThat(failure(Status.RESOURCE_EXHAUSTED)).isInstanceOf(ResourceExhaustedException.class);
    assertThat(failure(Status.DEADLINE_EXCEEDED)).isInstanceOf(DeadlineExceededException.class);
    assertThat(failure(Status.ABORTED)).isInstanceOf(UnavailableException.class);
    assertThat(failure(Status.UNIMPLEMENTED)).isInstanceOf(UnsupportedException.class);
    assertThat(failure(Status.INTERNAL)).isInstanceOf(OperationFailedException.class);
  }

  @Test
  void theDriversWordsAreHandedOn() {
    assertThat(failure(Status.INTERNAL.withDescription("the array is on fire")))
        .hasMessage("CSI driver d: NodeStageVolume of vol-1: INTERNAL: the array is on fire");
  }

  private static KeelsonException failure(Status status) {
    return CallFailures.of("d", "NodeStageVolume", "vol-1", status.asRuntimeException());
  }
}
