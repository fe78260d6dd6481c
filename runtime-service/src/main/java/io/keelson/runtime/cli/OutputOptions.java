package io.keelson.runtime.cli;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.util.JsonFormat;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.Option;

/** In which form a command answers. */
final class OutputOptions {

  enum Form {
    table,
    json
  }

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORM",
      description = "table for people, json for programs (CRI's messages). Default: table.")
  private Form form = Form.table;

  boolean isJson() {
    return form == Form.json;
  }

  static String json(MessageOrBuilder message) {
    try {
      return JsonFormat.printer().alwaysPrintFieldsWithNoPresence().print(message);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("a message without Any is always JSON", e);
    }
  }

  static String json(List<? extends MessageOrBuilder> messages) {
    return messages.stream().map(OutputOptions::json).collect(Collectors.joining(",\n", "[", "]"));
  }
}
