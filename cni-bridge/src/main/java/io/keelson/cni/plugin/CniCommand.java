package io.keelson.cni.plugin;

/** What a plugin is asked to do ({@code CNI_COMMAND}; CNI spec 1.1, section 2). */
enum CniCommand {
  ADD(true),
  DEL(false),
  CHECK(false),
  STATUS(false),
  GC(false),
  VERSION(true);

  private final boolean answered;

  CniCommand(boolean answered) {
    this.answered = answered;
  }

  /** Success prints a JSON object; the others print nothing that matters. */
  boolean answered() {
    return answered;
  }
}
