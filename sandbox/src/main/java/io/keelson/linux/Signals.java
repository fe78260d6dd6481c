package io.keelson.linux;

import java.util.List;
import java.util.Locale;

/** The signals of Linux (signal(7)), the same on x86-64 and aarch64. */
public final class Signals {

  public static final int SIGHUP = 1;
  public static final int SIGINT = 2;
  public static final int SIGQUIT = 3;
  public static final int SIGKILL = 9;
  public static final int SIGUSR1 = 10;
  public static final int SIGUSR2 = 12;
  public static final int SIGPIPE = 13;
  public static final int SIGTERM = 15;
  public static final int SIGCHLD = 17;
  public static final int SIGCONT = 18;
  public static final int SIGSTOP = 19;
  public static final int SIGWINCH = 28;

  private static final int RTMIN = 34;
  private static final int RTMAX = 64;

  /** The name of signal n is at n - 1. */
  private static final List<String> NAMES =
      List.of(
          "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
          "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
          "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS");

  private Signals() {}

  /**
   * The number of a signal that is written as in an image's StopSignal: {@code SIGTERM}, {@code
   * term}, {@code 15}, {@code SIGRTMIN+3}, {@code RTMAX-1}.
   *
   * @throws IllegalArgumentException if there is no such signal
   */
  public static int parse(String text) {
    String name = text.strip().toUpperCase(Locale.ROOT);
    if (!name.isEmpty() && name.chars().allMatch(c -> c >= '0' && c <= '9')) {
      return inRange(name, text);
    }
    if (name.startsWith("SIG")) {
      name = name.substring(3);
    }
    int index = NAMES.indexOf(name);
    if (index >= 0) {
      return index + 1;
    }
    return switch (name) {
      case "IOT" -> parse("ABRT");
      case "CLD" -> parse("CHLD");
      case "POLL" -> parse("IO");
      case "RTMIN" -> RTMIN;
      case "RTMAX" -> RTMAX;
      default -> realTime(name, text);
    };
  }

  /** {@code SIGTERM} for 15, {@code SIGRTMIN+3} for 37, and the number for what is no signal. */
  public static String name(int signal) {
    if (signal >= 1 && signal <= NAMES.size()) {
      return "SIG" + NAMES.get(signal - 1);
    }
    if (signal >= RTMIN && signal <= RTMAX) {
      return signal == RTMIN ? "SIGRTMIN" : "SIGRTMIN+" + (signal - RTMIN);
    }
    return Integer.toString(signal);
  }

  private static int realTime(String name, String text) {
    int signal = -1;
    if (name.matches("RTMIN\\+\\d{1,2}")) {
      signal = RTMIN + Integer.parseInt(name.substring(6));
    } else if (name.matches("RTMAX-\\d{1,2}")) {
      signal = RTMAX - Integer.parseInt(name.substring(6));
    }
    if (signal < RTMIN || signal > RTMAX) {
      throw unknown(text);
    }
    return signal;
  }

  private static int inRange(String digits, String text) {
    int signal = digits.length() > 2 ? 0 : Integer.parseInt(digits);
    if (signal < 1 || signal > RTMAX) {
      throw unknown(text);
    }
    return signal;
  }

  private static IllegalArgumentException unknown(String text) {
    return new IllegalArgumentException("no such signal: \"" + text + "\"");
  }
}
