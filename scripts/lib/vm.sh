# A throw-away virtual machine with the hardware and the host that a test machine seldom has: cgroup v2 alone under systemd,
# AppArmor or SELinux, disk quotas, USB that is plugged in and out, a network card with SR-IOV, two graphics cards. Sourced,
# never executed.
#
# It is a Debian that mmdebstrap installs into a folder from the same Debian archive as apt's (some 300 MB of packages, once),
# and the QEMU in that same tree, since an older Debian's has no SR-IOV. It reaches no network, and every run begins with the
# same disk.

VM_SUITE=trixie # the first Debian whose QEMU has the network card igb

# vm_image DIR: makes the disk, the kernel and QEMU in DIR, unless this same recipe has made them there before.
vm_image() {
  local dir=$1 recipe
  recipe=$(declare -f vm_install vm_guest vm_policy | sha256sum)
  [ ! -e "$dir/disk" ] || [ "$(cat "$dir/recipe" 2>/dev/null)" != "$recipe" ] || return 0
  note "installing Debian $VM_SUITE into ${dir#"$TOP/"} (downloads some 300 MB of packages)"
  rm -rf "$dir"
  mkdir -p "$dir"
  vm_install "$dir" >"$dir/install.log" 2>&1 || { tail -20 "$dir/install.log" >&2; fail "no virtual machine could be installed"; }
  printf '%s\n' "$recipe" >"$dir/recipe"
}

vm_install() {
  local dir=$1 root=$1/root packages
  # What boots it, what Keelson works with, and QEMU, which is run from outside.
  packages=systemd-sysv,udev,dbus,kmod,linux-image-amd64,initramfs-tools,zstd,apparmor,iproute2,procps
  packages+=,crun,conmon,catatonit,nftables,busybox-static,e2fsprogs,xfsprogs
  packages+=,selinux-policy-default,policycoreutils
  packages+=,qemu-system-x86
  # The initial RAM disk needs two modules to find the root; all others load by themselves afterwards.
  mmdebstrap --quiet --mode=root --variant=apt --include="$packages" \
    --aptopt='APT::Install-Recommends "false"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --essential-hook='mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/usr/share/initramfs-tools/modules.d"' \
    --essential-hook='echo MODULES=list >"$1/etc/initramfs-tools/conf.d/keelson"' \
    --essential-hook='printf "virtio_blk\next4\n" >"$1/usr/share/initramfs-tools/modules.d/keelson"' \
    "$VM_SUITE" "$root" || return 1
  vm_guest "$root" && vm_policy "$root" || return 1
  mv "$root"/boot/vmlinuz-* "$dir/kernel" && mv "$root"/boot/initrd.img-* "$dir/initrd" || return 1
  mke2fs -q -t ext4 -O ^has_journal -d "$root" "$dir/disk.new" 3G && mv "$dir/disk.new" "$dir/disk"
}

# vm_guest ROOT: what the machine does when it has booted, which is one command of the host's.
vm_guest() {
  local root=$1 unit
  cat >"$root/etc/systemd/system/task.service" <<'UNIT'
[Unit]
Description=The command that the host has put into the shared folder
After=apparmor.service systemd-udevd.service
[Service]
Type=exec
Delegate=yes
TasksMax=infinity
Environment=HOME=/root LANG=C.UTF-8
ExecStart=/usr/local/sbin/task
[Install]
WantedBy=multi-user.target
UNIT
  cat >"$root/usr/local/sbin/task" <<'TASK'
#!/bin/bash
udevadm settle
mkdir -p /vm && mount -t 9p -o trans=virtio,version=9p2000.L,msize=1048576,cache=mmap work /vm && cd /vm &&
  bash ./command >/dev/virtio-ports/output 2>&1 </dev/null && echo 0 >/vm/status || echo $? >/vm/status
umount /vm
systemctl poweroff --force --force
TASK
  chmod 755 "$root/usr/local/sbin/task"
  ln -s ../task.service "$root/etc/systemd/system/multi-user.target.wants/"
  echo vm >"$root/etc/hostname"
  for unit in getty.target apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_reap.service \
    ldconfig.service; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
  done
  # Profiles of programs that are not there cost seconds of each boot.
  find "$root/etc/apparmor.d" -maxdepth 1 -type f -delete
}

# vm_policy ROOT: SELinux is to hold back containers and nothing else, for a Debian that has just been installed is not one that
# its policy fits; and labels for all files.
vm_policy() {
  local root=$1 type
  for type in init_t initrc_t container_engine_t iptables_t kmod_t mount_t dmesg_t; do
    echo "(typepermissive $type)"
  done >"$root/tmp/test-machine.cil"
  chroot "$root" semodule -i /tmp/test-machine.cil && rm "$root/tmp/test-machine.cil" &&
    chroot "$root" setfiles -F /etc/selinux/default/contexts/files/file_contexts /
}

# vm_run DIR WORK SECONDS MODULE FOLDER...: boots the machine of DIR with this security module (apparmor or selinux, for a kernel
# has one of them at a time) and lets it run the file WORK/task with bash, in WORK, which it sees as /vm; it sees each FOLDER under
# its own path, to read only. What the command prints is printed; returns its status,
# 125 if the machine itself has failed, 124 after SECONDS. The kernel's messages are in WORK/console.
#
# For the tests there are: QEMU's monitor (QMP) at /dev/virtio-ports/qmp, the USB controller "usb" with free ports, the block
# node "stick" (64 MB), the character device "nothing". The processor is emulated, for /dev/kvm is seldom one that works;
# KEELSON_VM_KVM=yes says that it does.
vm_run() {
  local dir=$1 work=$2 seconds=$3 module=$4 n=0 folder mounts='' shares=() lib machine status
  shift 4
  for folder in "$@"; do
    shares+=(-virtfs "local,path=$folder,mount_tag=share$n,id=share$n,security_model=none,readonly=on,multidevs=remap")
    mounts+=$(printf 'mkdir -p %q && mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=1048576,cache=loose share%d %q || exit 125' \
      "$folder" $n "$folder")$'\n'
    n=$((n + 1))
  done
  { printf '%s' "$mounts"; cat "$work/task"; } >"$work/command"
  rm -f "$work/status"
  truncate -s 64M "$work/stick"
  rm -f "$work/silence" && mkfifo "$work/silence" # a standard input that never ends: QEMU would close its output with it
  machine=(-accel tcg,thread=multi -cpu Nehalem) # under emulation a JVM is several times faster on an old processor
  [ "${KEELSON_VM_KVM:-}" != yes ] || machine=(-accel kvm -cpu host)
  lib=$dir/root/usr/lib/x86_64-linux-gnu
  # The monitor and the guest's port are the two ends of one socket. Where the timer is measured under load, Linux panics.
  (cd "$work" && QEMU_MODULE_DIR=$lib/qemu exec nice -n 5 timeout "$seconds" \
    "$dir/root/usr/lib64/ld-linux-x86-64.so.2" --library-path "$lib" "$dir/root/usr/bin/qemu-system-x86_64" \
    -L "$dir/root/usr/share/qemu" -L "$dir/root/usr/share/seabios" \
    -M q35,sata=off,smbus=off,i8042=off "${machine[@]}" -smp 2 -m 2048 \
    -nodefaults -display none -no-reboot -serial file:console \
    -kernel "$dir/kernel" -initrd "$dir/initrd" \
    -append "root=/dev/vda rw quiet console=ttyS0 mitigations=off no_timer_check panic=-1 security=$module" \
    -drive "if=virtio,format=raw,file=$dir/disk,snapshot=on" \
    -virtfs "local,path=$work,mount_tag=work,id=work,security_model=none,multidevs=remap" "${shares[@]}" \
    -device virtio-serial \
    -chardev stdio,id=output,signal=off -device virtserialport,chardev=output,name=output \
    -chardev socket,id=port,path=qmp,server=on,wait=off -device virtserialport,chardev=port,name=qmp \
    -chardev socket,id=monitor,path=qmp -mon chardev=monitor,mode=control \
    -device qemu-xhci,id=usb -blockdev driver=raw,node-name=stick,file.driver=file,file.filename=stick \
    -chardev null,id=nothing \
    -device virtio-gpu-pci -device virtio-gpu-pci \
    -netdev user,id=net,restrict=on -device igb,netdev=net,romfile= 0<>silence) &
  VM_PID=$!
  wait $VM_PID
  status=$?
  VM_PID=
  [ $status != 124 ] || return 124
  [ $status = 0 ] && [ -s "$work/status" ] || return 125
  return "$(cat "$work/status")"
}
