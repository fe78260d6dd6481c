package io.keelson.runtime.config;

import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.tomlj.Toml;
import org.tomlj.TomlParseResult;
import org.tomlj.TomlTable;

/** Reads one TOML file into {@link Values}, collecting everything that is wrong with it. */
final class ConfigurationReader {

  private record Problem(int line, String text) {}

  private final Path file;
  private final Values values;
  private final List<Problem> problems = new ArrayList<>();

  private ConfigurationReader(Path file, Values values) {
    this.file = file;
    this.values = values;
  }

  /**
   * Reads the file into the values.
   *
   * @return the problems, in the order of the lines, each a sentence with file, line and key
   */
  static List<String> read(Path file, Values values) {
    ConfigurationReader reader = new ConfigurationReader(file, values);
    String text;
    try {
      text = Files.readString(file);
    } catch (NoSuchFileException e) {
      return List.of(file + ": there is no such configuration file");
    } catch (MalformedInputException e) {
      return List.of(file + ": the configuration is not text in UTF-8");
    } catch (IOException e) {
      return List.of(file + ": cannot read the configuration: " + e.getMessage());
    }
    return reader.read(text);
  }

  static List<String> read(Path file, String text, Values values) {
    return new ConfigurationReader(file, values).read(text);
  }

  private List<String> read(String text) {
    TomlParseResult toml = Toml.parse(text);
    if (toml.hasErrors()) {
      toml.errors()
          .forEach(
              e ->
                  problems.add(
                      new Problem(
                          e.position().line(),
                          "line " + e.position().line() + " is not TOML: " + oneLine(e))));
    } else {
      table(toml, List.of());
    }
    return problems.stream()
        .sorted(Comparator.comparingInt(Problem::line))
        .map(p -> file + ":" + p.line() + ": " + p.text())
        .toList();
  }

  private void table(TomlTable table, List<String> path) {
    for (Map.Entry<String, Object> entry : table.entrySet()) {
      List<String> child = new ArrayList<>(path);
      child.add(entry.getKey());
      int line = line(table, entry.getKey());
      String name = String.join(".", child);
      Optional<Key<?>> key = Keys.named(name);
      if (key.isPresent()) {
        value(key.get(), entry.getValue(), line);
      } else if (!isTable(child)) {
        problems.add(new Problem(line, unknown(name)));
      } else if (!(entry.getValue() instanceof TomlTable inner)) {
        problems.add(
            new Problem(line, name + " is a table: write [" + name + "] on a line above its keys"));
      } else if (!isRuntimeTable(child) || declareRuntime(entry.getKey(), line)) {
        table(inner, child);
      }
    }
  }

  private void value(Key<?> key, Object value, int line) {
    try {
      values.put(key, value, file + ":" + line);
    } catch (BadValueException e) {
      problems.add(new Problem(line, key.name() + " " + e.getMessage()));
    }
  }

  private boolean declareRuntime(String name, int line) {
    try {
      values.declareRuntime(RuntimeKeys.NAME.read(name));
      return true;
    } catch (BadValueException e) {
      problems.add(new Problem(line, "the name of a table in [runtimes] " + e.getMessage()));
      return false;
    }
  }

  private static boolean isRuntimeTable(List<String> path) {
    return path.size() == 2 && path.getFirst().equals("runtimes");
  }

  private static boolean isTable(List<String> path) {
    String name = String.join(".", path);
    return name.equals("runtimes")
        || isRuntimeTable(path)
        || Keys.FIXED.stream().anyMatch(k -> k.table().equals(name));
  }

  private static String unknown(String name) {
    Set<String> known = new TreeSet<>();
    Keys.FIXED.forEach(k -> known.add(k.name()));
    Keys.FIXED.stream().map(Key::table).filter(t -> !t.isEmpty()).forEach(known::add);
    known.add("runtimes");
    Keys.runtimeName(name)
        .ifPresent(runtime -> Keys.ofRuntime(runtime).forEach(k -> known.add(k.name())));
    String hint =
        known.stream()
            .filter(k -> EditDistance.between(k, name) <= 2 || simple(k).equals(simple(name)))
            .collect(Collectors.joining(" or "));
    return "unknown key "
        + name
        + (hint.isEmpty()
            ? "; \"keelson config default\" lists all keys"
            : "; did you mean " + hint + "?");
  }

  private static String simple(String name) {
    return name.substring(name.lastIndexOf('.') + 1);
  }

  private static int line(TomlTable table, String key) {
    var position = table.inputPositionOf(List.of(key));
    return position == null ? 1 : position.line();
  }

  private static String oneLine(Exception e) {
    return String.valueOf(e.getMessage()).replaceAll("\\s+", " ");
  }
}
