package io.keelson.integration.harness;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import com.google.protobuf.TextFormat;
import io.keelson.proto.nri.v1alpha1.ConfigureResponse;
import io.keelson.proto.nri.v1alpha1.CreateContainerResponse;
import io.keelson.proto.nri.v1alpha1.Empty;
import io.keelson.proto.nri.v1alpha1.RegisterPluginRequest;
import io.keelson.proto.nri.v1alpha1.StopContainerResponse;
import io.keelson.proto.nri.v1alpha1.SynchronizeRequest;
import io.keelson.proto.nri.v1alpha1.SynchronizeResponse;
import io.keelson.proto.nri.v1alpha1.UpdateContainerResponse;
import io.keelson.proto.nri.v1alpha1.UpdateContainersRequest;
import io.keelson.proto.nri.v1alpha1.UpdateContainersResponse;
import io.keelson.proto.nri.v1alpha1.ValidateContainerAdjustmentResponse;
import io.keelson.proto.ttrpc.Request;
import io.keelson.proto.ttrpc.Response;
import io.keelson.proto.ttrpc.Status;
import java.io.BufferedReader;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.SequenceInputStream;
import java.lang.reflect.Constructor;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * A plugin of the Node Resource Interface that does as it is told, with a wire protocol of its own
 * making. Commands come as lines on standard input, calls go as lines to standard output:
 *
 * <ul>
 *   <li>{@code reply METHOD TEXT}: answer METHOD with this message in protobuf's text format
 *   <li>{@code fail METHOD WORDS}: answer it with an error
 *   <li>{@code hang METHOD}: do not answer it before {@code obey METHOD}
 *   <li>{@code die METHOD}: end at once when it is called
 *   <li>{@code unknown METHOD}: as a plugin that was built before it
 *   <li>{@code obey METHOD}: answer it as usual again
 *   <li>{@code update TEXT}: call UpdateContainers with this message
 * </ul>
 */
public final class NriPluginProgram {

  private static final int TO_PLUGIN = 1;
  private static final int TO_RUNTIME = 2;
  private static final byte REQUEST = 1;
  private static final byte RESPONSE = 2;
  private static final int UNKNOWN = 2;
  private static final int UNIMPLEMENTED = 12;

  private static final Map<String, Message> ANSWERS =
      Map.of(
          "Configure", ConfigureResponse.getDefaultInstance(),
          "Synchronize", SynchronizeResponse.getDefaultInstance(),
          "CreateContainer", CreateContainerResponse.getDefaultInstance(),
          "UpdateContainer", UpdateContainerResponse.getDefaultInstance(),
          "StopContainer", StopContainerResponse.getDefaultInstance(),
          "ValidateContainerAdjustment", ValidateContainerAdjustmentResponse.getDefaultInstance());

  private final DataInputStream in;
  private final DataOutputStream out;
  private final PrintStream calls;
  private final Map<String, String> orders = new ConcurrentHashMap<>();
  private final BlockingQueue<Response> answers = new LinkedBlockingQueue<>();
  private int stream = 1;

  private NriPluginProgram(InputStream in, OutputStream out, PrintStream calls) {
    this.in = new DataInputStream(in);
    this.out = new DataOutputStream(out);
    this.calls = calls;
  }

  /**
   * Runs until the connection ends.
   *
   * @param args index, name and socket; or, started by the daemon, a file of commands and a file
   *     for the calls
   */
  public static void main(String[] args) throws Exception {
    String inherited = System.getenv("NRI_PLUGIN_SOCKET");
    if (inherited != null) {
      Constructor<FileDescriptor> number = FileDescriptor.class.getDeclaredConstructor(int.class);
      number.setAccessible(true);
      FileDescriptor socket = number.newInstance(Integer.parseInt(inherited));
      NriPluginProgram plugin =
          new NriPluginProgram(
              new FileInputStream(socket),
              new FileOutputStream(socket),
              new PrintStream(new FileOutputStream(args[1], true), true, UTF_8));
      plugin.run(
          System.getenv("NRI_PLUGIN_IDX"),
          System.getenv("NRI_PLUGIN_NAME"),
          new SequenceInputStream(
              Files.newInputStream(Path.of(args[0])), InputStream.nullInputStream()));
    } else {
      SocketChannel socket = SocketChannel.open(StandardProtocolFamily.UNIX);
      socket.connect(UnixDomainSocketAddress.of(args[2]));
      new NriPluginProgram(
              Channels.newInputStream(socket), Channels.newOutputStream(socket), System.out)
          .run(args[0], args[1], System.in);
    }
  }

  private void run(String index, String name, InputStream commands) throws Exception {
    BufferedReader lines = new BufferedReader(new InputStreamReader(commands, UTF_8));
    // Orders up to an empty line are there before anything happens.
    for (String line = lines.readLine(); line != null && !line.isEmpty(); line = lines.readLine()) {
      take(line);
    }
    Thread.ofPlatform()
        .daemon()
        .start(
            () -> {
              try {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                  take(line);
                }
              } catch (IOException | InterruptedException e) {
                calls.println("broken " + e);
              }
            });
    send(
        TO_RUNTIME,
        stream,
        REQUEST,
        request(
            "RegisterPlugin",
            RegisterPluginRequest.newBuilder()
                .setPluginIdx(index)
                .setPluginName(name)
                .setNRIVersion("v0.12.0")
                .build()));
    try {
      read();
    } catch (EOFException | SocketException _) {
      // The daemon has closed the connection.
    }
  }

  /** Obeys an order, and says when it holds. What was called before has been said by then. */
  private void take(String line) throws IOException, InterruptedException {
    obey(line);
    calls.println("taken " + line);
  }

  private void obey(String line) throws IOException, InterruptedException {
    String[] words = line.split(" ", 3);
    if (words[0].equals("update")) {
      update(line.substring("update ".length()));
    } else if (words[0].equals("obey")) {
      orders.remove(words[1]);
    } else {
      orders.put(words[1], words[0] + " " + (words.length > 2 ? words[2] : ""));
    }
  }

  private void update(String text) throws IOException, InterruptedException {
    UpdateContainersRequest.Builder update = UpdateContainersRequest.newBuilder();
    TextFormat.merge(text, update);
    stream += 2;
    send(TO_RUNTIME, stream, REQUEST, request("UpdateContainers", update.build()));
    Response answer = answers.take();
    calls.println(
        answer.getStatus().getCode() == 0
            ? "updated "
                + Base64.getEncoder()
                    .encodeToString(
                        UpdateContainersResponse.parseFrom(answer.getPayload()).toByteArray())
            : "refused " + answer.getStatus().getMessage());
  }

  private static byte[] request(String method, Message message) {
    return Request.newBuilder()
        .setService("nri.pkg.api.v1alpha1.Runtime")
        .setMethod(method)
        .setPayload(message.toByteString())
        .build()
        .toByteArray();
  }

  private void read() throws IOException {
    boolean registered = false;
    while (true) {
      int connection = in.readInt();
      byte[] frame = in.readNBytes(in.readInt());
      ByteBuffer header = ByteBuffer.wrap(frame);
      int length = header.getInt();
      int id = header.getInt();
      byte[] payload = new byte[length];
      int here = frame.length - 10;
      System.arraycopy(frame, 10, payload, 0, here);
      while (here < length) { // the rest of a long message
        in.readInt();
        byte[] more = in.readNBytes(in.readInt());
        System.arraycopy(more, 0, payload, here, more.length);
        here += more.length;
      }
      if (connection == TO_RUNTIME) {
        Response answer = Response.parseFrom(payload);
        if (registered) {
          answers.add(answer);
        } else {
          registered = true;
          if (answer.getStatus().getCode() != 0) {
            calls.println("refused " + answer.getStatus().getMessage());
          }
        }
      } else {
        Request call = Request.parseFrom(payload);
        Thread.ofVirtual().start(() -> answer(id, call));
      }
    }
  }

  private void answer(int id, Request call) {
    String method = call.getMethod();
    calls.println(
        "call "
            + method
            + " "
            + Base64.getEncoder().encodeToString(call.getPayload().toByteArray()));
    try {
      while (orders.getOrDefault(method, "").startsWith("hang")) {
        Thread.sleep(10);
      }
      send(TO_PLUGIN, id, RESPONSE, response(call).toByteArray());
    } catch (IOException | InterruptedException e) {
      calls.println("broken " + e);
    }
  }

  private Response response(Request call) throws IOException {
    String method = call.getMethod();
    String[] order = orders.getOrDefault(method, "obey ").split(" ", 2);
    return switch (order[0]) {
      case "die" -> {
        Runtime.getRuntime().halt(1);
        yield Response.getDefaultInstance();
      }
      case "fail" -> error(UNKNOWN, order[1]);
      case "unknown" -> error(UNIMPLEMENTED, "no such method");
      case "reply" -> {
        Message.Builder message =
            ANSWERS.getOrDefault(method, Empty.getDefaultInstance()).newBuilderForType();
        TextFormat.merge(order[1], message);
        yield Response.newBuilder().setPayload(message.build().toByteString()).build();
      }
      default -> {
        ByteString payload =
            method.equals("Synchronize")
                ? SynchronizeResponse.newBuilder()
                    .setMore(SynchronizeRequest.parseFrom(call.getPayload()).getMore())
                    .build()
                    .toByteString()
                : ByteString.EMPTY;
        yield Response.newBuilder().setPayload(payload).build();
      }
    };
  }

  private static Response error(int code, String words) {
    return Response.newBuilder()
        .setStatus(Status.newBuilder().setCode(code).setMessage(words))
        .build();
  }

  private synchronized void send(int connection, int id, byte type, byte[] payload)
      throws IOException {
    ByteBuffer frame =
        ByteBuffer.allocate(18 + payload.length)
            .putInt(connection)
            .putInt(10 + payload.length)
            .putInt(payload.length)
            .putInt(id)
            .put(type)
            .put((byte) 0)
            .put(payload);
    out.write(frame.array());
    out.flush();
  }
}
