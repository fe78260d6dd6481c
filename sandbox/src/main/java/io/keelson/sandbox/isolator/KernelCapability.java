package io.keelson.sandbox.isolator;

import java.util.Collections;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * The capabilities of Linux in the kernel's order: a constant's place is its bit (capabilities(7)).
 */
enum KernelCapability {
  CHOWN,
  DAC_OVERRIDE,
  DAC_READ_SEARCH,
  FOWNER,
  FSETID,
  KILL,
  SETGID,
  SETUID,
  SETPCAP,
  LINUX_IMMUTABLE,
  NET_BIND_SERVICE,
  NET_BROADCAST,
  NET_ADMIN,
  NET_RAW,
  IPC_LOCK,
  IPC_OWNER,
  SYS_MODULE,
  SYS_RAWIO,
  SYS_CHROOT,
  SYS_PTRACE,
  SYS_PACCT,
  SYS_ADMIN,
  SYS_BOOT,
  SYS_NICE,
  SYS_RESOURCE,
  SYS_TIME,
  SYS_TTY_CONFIG,
  MKNOD,
  LEASE,
  AUDIT_WRITE,
  AUDIT_CONTROL,
  SETFCAP,
  MAC_OVERRIDE,
  MAC_ADMIN,
  SYSLOG,
  WAKE_ALARM,
  BLOCK_SUSPEND,
  AUDIT_READ,
  PERFMON,
  BPF,
  CHECKPOINT_RESTORE;

  private static final String PREFIX = "CAP_";
  private static final Map<String, KernelCapability> BY_NAME = new HashMap<>();

  static {
    for (KernelCapability capability : values()) {
      BY_NAME.put(capability.name(), capability);
      BY_NAME.put(capability.ociName(), capability);
    }
  }

  /** As the OCI spec writes it: {@code CAP_NET_ADMIN}. */
  String ociName() {
    return PREFIX + name();
  }

  /** Finds a capability by its name in any case, with or without {@code CAP_}. */
  static Optional<KernelCapability> parse(String name) {
    return Optional.ofNullable(BY_NAME.get(name.toUpperCase(Locale.ROOT)));
  }

  /** The names of the bits that are set, as /proc/PID/status gives them in hexadecimal. */
  static SortedSet<String> ofMask(String hexadecimal) {
    long mask = Long.parseUnsignedLong(hexadecimal, 16);
    SortedSet<String> names = new TreeSet<>();
    KernelCapability[] inKernelOrder = values();
    for (int bit = 0; bit < inKernelOrder.length; bit++) {
      if (((mask >>> bit) & 1) == 1) {
        names.add(inKernelOrder[bit].ociName());
      }
    }
    return Collections.unmodifiableSortedSet(names);
  }
}
