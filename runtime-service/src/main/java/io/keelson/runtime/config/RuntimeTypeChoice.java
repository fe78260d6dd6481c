package io.keelson.runtime.config;

/** Whose command line an OCI runtime has. */
public enum RuntimeTypeChoice {
  /** The name of the program tells. */
  AUTO,
  CRUN,
  RUNC,
  OTHER
}
