# The AppArmor profile that containers have unless they ask for another one (apparmor.d(5)). What a
# container may do with files, capabilities and the network is decided by its mounts and capabilities;
# this keeps it from the parts of /proc and /sys that are not its own, from mounting, and from the
# processes of others.
@{PROC}=/proc/

profile keelson-default flags=(attach_disconnected,mediate_deleted) {
  network,
  capability,
  file,
  umount,

  # Processes outside may signal and inspect those inside, and those inside one another.
  signal (receive) peer=unconfined,
  signal (receive) peer=crun,
  signal (receive) peer=runc,
  signal (send,receive) peer=keelson-default,
  ptrace (tracedby,readby) peer=unconfined,
  ptrace (trace,read,tracedby,readby) peer=keelson-default,

  deny mount,

  deny @{PROC}* w,
  deny @{PROC}[^1-9s]*/** w,
  deny @{PROC}s[^y]*/** w,
  deny @{PROC}sy[^s]*/** w,
  deny @{PROC}sys[^/]*/** w,
  deny @{PROC}sys/[^kn]** w,
  deny @{PROC}sys/kernel/{?,??,[^s][^h][^m]**} w,
  deny @{PROC}sysrq-trigger rwklx,
  deny @{PROC}kcore rwklx,
  deny @{PROC}kmem rwklx,
  deny @{PROC}mem rwklx,

  deny /sys/[^f]*/** wklx,
  deny /sys/f[^s]*/** wklx,
  deny /sys/fs/[^c]*/** wklx,
  deny /sys/fs/c[^g]*/** wklx,
  deny /sys/fs/cg[^r]*/** wklx,
  deny /sys/firmware/** rwklx,
  deny /sys/devices/virtual/powercap/** rwklx,
  deny /sys/kernel/security/** rwklx,
}
