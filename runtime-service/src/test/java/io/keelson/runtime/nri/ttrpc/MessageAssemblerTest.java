package io.keelson.runtime.nri.ttrpc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Messages come out of a stream as they went in, however it was cut. */
class MessageAssemblerTest {

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 10, 11, 4096})
  void messagesSurviveAnyCut(int piece) throws Exception {
    ByteBuffer stream =
        ByteBuffer.allocate(100)
            .put(new Message(1, Message.REQUEST, ByteBuffer.wrap("hello".getBytes(UTF_8))).encode())
            .put(new Message(3, Message.RESPONSE, ByteBuffer.allocate(0)).encode())
            .put(new Message(5, Message.REQUEST, ByteBuffer.wrap("x".getBytes(UTF_8))).encode())
            .flip();
    MessageAssembler assembler = new MessageAssembler();
    List<String> messages = new ArrayList<>();
    while (stream.hasRemaining()) {
      int length = Math.min(piece, stream.remaining());
      ByteBuffer cut = stream.slice(stream.position(), length);
      stream.position(stream.position() + length);
      assembler.take(
          cut,
          message ->
              messages.add(
                  message.stream() + ":" + message.type() + ":" + UTF_8.decode(message.payload())));
    }

    assertThat(messages).containsExactly("1:1:hello", "3:2:", "5:1:x");
  }

  @Test
  void aMessageThatIsTooLongIsRefusedBeforeItIsRead() {
    ByteBuffer header = ByteBuffer.allocate(10).putInt(Message.MAX_PAYLOAD + 1).rewind();

    assertThatThrownBy(() -> new MessageAssembler().take(header, _ -> {}))
        .hasMessageContaining("4194305");
  }
}
