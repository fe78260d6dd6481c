package io.keelson.proto;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.GenericDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A wire contract as a flat list of facts, one line each and each telling in full what it is about,
 * so that two contracts are the same if their facts are. Facts come from a wire table (a text file
 * that indents fields and methods below their owner) or from compiled descriptors. The order of
 * declarations is no fact: it has no effect on the wire.
 */
final class WireTable {
  private static final Pattern HEADER = Pattern.compile("package (\\S+) +syntax (\\S+)");
  private static final Pattern OWNER = Pattern.compile("(service|message) (\\S+)");
  private static final Pattern METHOD = Pattern.compile(" {2}rpc (.+)");
  private static final Pattern FIELD =
      Pattern.compile(" {2}(\\d+) +(\\S.*?) (\\w+)(?: +oneof (\\w+))?(?: +(deprecated))?");
  private static final Pattern ENUM = Pattern.compile(" *enum ([\\w.]+): (.+)");

  private WireTable() {}

  /**
   * The facts of a wire table.
   *
   * @throws IllegalArgumentException for a line of no known form: what can't be read isn't checked
   */
  static List<String> parse(List<String> lines) {
    List<String> facts = new ArrayList<>();
    String owner = "";
    for (String line : lines) {
      if (line.isBlank()) {
        continue;
      }
      Matcher header = HEADER.matcher(line);
      Matcher declaration = OWNER.matcher(line);
      Matcher method = METHOD.matcher(line);
      Matcher field = FIELD.matcher(line);
      Matcher enumeration = ENUM.matcher(line);
      if (header.matches()) {
        facts.add("package %s syntax %s".formatted(header.group(1), header.group(2)));
      } else if (declaration.matches()) {
        owner = declaration.group(2);
        facts.add("%s %s".formatted(declaration.group(1), owner));
      } else if (method.matches()) {
        facts.add("rpc %s.%s".formatted(owner, method.group(1)));
      } else if (field.matches()) {
        String choice = field.group(4) == null ? "" : "oneof " + field.group(4) + " ";
        facts.add(
            field(
                owner,
                field.group(1),
                choice + field.group(2),
                field.group(3),
                field.group(5) != null));
      } else if (enumeration.matches()) {
        facts.add("enum %s: %s".formatted(enumeration.group(1), enumeration.group(2)));
      } else {
        throw new IllegalArgumentException("line of no known form: " + line);
      }
    }
    return facts;
  }

  /** The facts of a compiled file. */
  static List<String> describe(FileDescriptor file) {
    List<String> facts = new ArrayList<>();
    facts.add("package %s syntax %s".formatted(file.getPackage(), file.toProto().getSyntax()));
    for (ServiceDescriptor service : file.getServices()) {
      facts.add("service " + relativeName(service));
      service.getMethods().forEach(method -> facts.add(describe(method)));
    }
    file.getEnumTypes().forEach(enumeration -> facts.add(describe(enumeration)));
    file.getMessageTypes().forEach(message -> describe(message, facts));
    file.getExtensions().forEach(extension -> facts.add("extension " + extension.getFullName()));
    return facts;
  }

  private static void describe(Descriptor message, List<String> facts) {
    facts.add("message " + relativeName(message));
    message.getFields().forEach(field -> facts.add(describe(field)));
    message.getExtensions().forEach(field -> facts.add("extension " + field.getFullName()));
    message.getEnumTypes().forEach(enumeration -> facts.add(describe(enumeration)));
    // The entry types of maps are made by the compiler; the table knows them as map<,> alone.
    message.getNestedTypes().stream()
        .filter(nested -> !nested.getOptions().getMapEntry())
        .forEach(nested -> describe(nested, facts));
  }

  private static String describe(MethodDescriptor method) {
    return "rpc %s.%s(%s%s) returns (%s%s)"
        .formatted(
            relativeName(method.getService()),
            method.getName(),
            method.isClientStreaming() ? "stream " : "",
            relativeName(method.getInputType()),
            method.isServerStreaming() ? "stream " : "",
            relativeName(method.getOutputType()));
  }

  private static String describe(EnumDescriptor enumeration) {
    return enumeration.getValues().stream()
        .map(value -> value.getName() + "=" + value.getNumber())
        .collect(Collectors.joining(", ", "enum " + relativeName(enumeration) + ": ", ""));
  }

  private static String describe(FieldDescriptor field) {
    return field(
        relativeName(field.getContainingType()),
        String.valueOf(field.getNumber()),
        label(field) + type(field),
        field.getName(),
        field.getOptions().getDeprecated());
  }

  private static String field(
      String owner, String number, String type, String name, boolean deprecated) {
    return "field %s.%s = %s %s%s"
        .formatted(owner, name, number, type, deprecated ? " deprecated" : "");
  }

  private static String label(FieldDescriptor field) {
    if (field.isMapField()) {
      return "";
    }
    if (field.isRepeated()) {
      // Readers take both encodings, yet what is sent should be what the contract's own build
      // sends.
      return field.isPackable() && !field.isPacked() ? "repeated unpacked " : "repeated ";
    }
    if (field.isRequired()) {
      return "required ";
    }
    if (field.getRealContainingOneof() != null) {
      return "oneof " + field.getRealContainingOneof().getName() + " ";
    }
    return field.toProto().getProto3Optional() ? "optional " : "";
  }

  private static String type(FieldDescriptor field) {
    if (field.isMapField()) {
      Descriptor entry = field.getMessageType();
      return "map<%s, %s>"
          .formatted(type(entry.findFieldByNumber(1)), type(entry.findFieldByNumber(2)));
    }
    return switch (field.getJavaType()) {
      case MESSAGE -> relativeName(field.getMessageType());
      case ENUM -> relativeName(field.getEnumType());
      case INT, LONG, FLOAT, DOUBLE, BOOLEAN, STRING, BYTE_STRING ->
          field.getType().name().toLowerCase(Locale.ROOT);
    };
  }

  private static String relativeName(GenericDescriptor descriptor) {
    String fullName = descriptor.getFullName();
    if (descriptor.getFile().getPackage().equals("google.protobuf")) {
      return fullName; // no contract of ours
    }
    String prefix = descriptor.getFile().getPackage() + ".";
    return fullName.startsWith(prefix) ? fullName.substring(prefix.length()) : fullName;
  }
}
