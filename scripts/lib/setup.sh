# What the scripts need before they can do their work: packages, a JDK, cgroups that an OCI runtime can use.
# Sourced, never executed. Each function says what it changes and changes nothing that is fine already.

# Names of files are UTF-8, and new files are for all to read, whatever the host says of its people's language and secrets.
export LC_ALL=C.UTF-8
umask 022

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
note() { printf '  %s\n' "$*"; }
fail() { printf '\n%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

require_root() {
  [ "$(id -u)" = 0 ] || fail "it makes namespaces, cgroups and mounts, so it must run as root: sudo $0"
}

# need_packages WHAT:PACKAGE...   WHAT is a command, or the absolute path of a file that the package brings.
# Runs apt only when something is missing.
need_packages() {
  local pair what missing=()
  for pair in "$@"; do
    what=${pair%%:*}
    case $what in
      /*) [ -e "$what" ] && continue ;;
      *) PATH=$PATH:/usr/sbin:/sbin command -v "$what" >/dev/null && continue ;;
    esac
    missing+=("${pair#*:}")
  done
  [ ${#missing[@]} -eq 0 ] && return
  command -v apt-get >/dev/null || fail "missing and not to be had by apt-get: ${missing[*]}"
  [ "$(id -u)" = 0 ] || fail "missing: ${missing[*]}; run me as root, or: apt-get install ${missing[*]}"
  note "installing from Debian: ${missing[*]}"
  apt_install "${missing[@]}"
}

# Installs without starting the services that some packages bring (docker-registry would take port 5000).
apt_install() {
  local policy=/usr/sbin/policy-rc.d mine= status=0
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy && mine=yes
  fi
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "$@"; } >/tmp/keelson-apt.$$ 2>&1 || status=$?
  [ -z "$mine" ] || rm -f $policy
  [ $status = 0 ] || { tail -20 /tmp/keelson-apt.$$ >&2; rm -f /tmp/keelson-apt.$$; fail "apt-get could not install: $*"; }
  rm -f /tmp/keelson-apt.$$
}

is_jdk_25() {
  [ -x "$1/bin/javac" ] && grep -qs '^JAVA_VERSION="25[".]' "$1/release"
}

# Sets and exports JAVA_HOME to a JDK 25.
find_jdk() {
  local home looked=("JAVA_HOME (${JAVA_HOME:-not set})")
  if [ -n "${JAVA_HOME:-}" ] && is_jdk_25 "$JAVA_HOME"; then
    export JAVA_HOME
    return
  fi
  for home in /usr/lib/jvm/*; do
    if is_jdk_25 "$home"; then
      export JAVA_HOME=$home
      return
    fi
  done
  looked+=("/usr/lib/jvm/* ($(ls -m /usr/lib/jvm 2>/dev/null || echo none there))")
  if [ "$(id -u)" = 0 ] && apt-cache policy openjdk-25-jdk-headless 2>/dev/null | grep -q 'Candidate: 25'; then
    note "installing from Debian: openjdk-25-jdk-headless"
    apt_install openjdk-25-jdk-headless
    for home in /usr/lib/jvm/*; do
      is_jdk_25 "$home" && { export JAVA_HOME=$home; return; }
    done
  fi
  looked+=("the package openjdk-25-jdk-headless (apt serves none)")
  fail "no JDK 25 found. Looked at: $(printf '%s; ' "${looked[@]}")
  Install one (https://adoptium.net/temurin/releases/?version=25) under /usr/lib/jvm, or point JAVA_HOME at it."
}

# On a host with hybrid cgroups, crun refuses to work while a controller is left on the v2 hierarchy: mount such
# left-overs as v1 next to the others. Pure v1 and pure v2 hosts need nothing; no other mount is touched.
cure_cgroups() {
  local v2 controller
  grep -q ' - cgroup ' /proc/self/mountinfo || return 0
  v2=$(awk '/ - cgroup2 / { print $5; exit }' /proc/self/mountinfo)
  [ -n "$v2" ] || return 0
  # systemd's own hierarchy (name=systemd) has no controller: with nothing else on v1 this is a v2 host.
  grep ' - cgroup ' /proc/self/mountinfo | grep -qE '[ ,](memory|cpu|pids|devices|freezer|blkio|cpuset)(,|$)' || return 0
  for controller in $(cat "$v2/cgroup.controllers"); do
    if mkdir -p "${v2%/*}/$controller" && mount -t cgroup -o "$controller" cgroup "${v2%/*}/$controller"; then
      note "cgroups are hybrid here: mounted the left-over controller $controller as v1 at ${v2%/*}/$controller"
    else
      fail "cgroups are hybrid here and the controller $controller is left on v2, so crun can start no container;
  mounting it as v1 at ${v2%/*}/$controller has failed"
    fi
  done
}

# What the daemon itself works with: programs, and a library that halves the time of a pull.
RUNTIME_PACKAGES="crun:crun conmon:conmon catatonit:catatonit nft:nftables /usr/share/doc/libisal2:libisal2"
BUILD_PACKAGES="mvn:maven"

# maven ARGUMENT...   from the top of the tree, quietly.
maven() {
  (cd "$TOP" && mvn -q -B -ntp "$@")
}

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
