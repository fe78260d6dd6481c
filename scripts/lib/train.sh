# Caches of what the JVM has loaded, linked and profiled (ahead-of-time caches, JEP 483 and 515): with them the daemon
# starts in less than half the time and needs no warm-up. Made by running pods once. Sourced by scripts/build; `mvn verify`
# executes it with the installation as its argument.

# train_caches INSTALLATION: writes lib/serve.aot and lib/command.aot beside the jars.
train_caches() (
  set -uo pipefail
  installation=$1
  work=$(mktemp -d /tmp/keelson-train.XXXXXX)
  bridge=ktrain$((RANDOM % 10000))
  daemon=
  finish() {
    [ -z "$daemon" ] || { kill "$daemon" 2>/dev/null || true; wait "$daemon" 2>/dev/null || true; }
    [ ! -e "/sys/class/net/$bridge" ] || ip link delete "$bridge"
    nft delete table inet "keelson-$bridge" 2>/dev/null || true
    grep -q " $work/" /proc/self/mountinfo || rm -rf "$work"
  }
  trap finish EXIT
  rm -f "$installation"/lib/*.aot # of an earlier build: the JVM does not take two
  mkdir -p "$work/net.d" "$work/image/rootfs/bin"
  cp /bin/busybox "$work/image/rootfs/bin/busybox"
  ln -s busybox "$work/image/rootfs/bin/sleep"
  ln -s busybox "$work/image/rootfs/bin/true"
  docker_archive "$work/image" train/busybox:1 "$work/image.tar"
  cat >"$work/config.toml" <<TOML
root = "$work/root"
state = "$work/state"
[network]
bridge = "$bridge"
ipv4_subnet = "10.85.0.0/24"
ipv6_subnet = "fd4b:6565:6c75::/64"
cni_conf_dir = "$work/net.d"
netns_dir = "$work/netns"
TOML
  export KEELSON_SOCKET=$work/state/keelson.sock
  KEELSON_JAVA_OPTS="-XX:AOTCacheOutput=$installation/lib/serve.aot" \
    "$installation/bin/keelson" serve --config "$work/config.toml" >"$work/daemon.log" 2>&1 &
  daemon=$!
  for _ in $(seq 300); do
    "$installation/bin/keelson" status >/dev/null 2>&1 && break
    kill -0 "$daemon" 2>/dev/null || return 1
    sleep 0.1
  done
  "$installation/bin/keelson" import "$work/image.tar" >/dev/null || return 1
  KEELSON_JAVA_OPTS="-XX:AOTCacheOutput=$installation/lib/command.aot" \
    "$installation/bin/keelson" bench --warm-up 0 --pods 40 train/busybox:1 >/dev/null 2>&1 || return 1
  kill "$daemon" && wait "$daemon" # the cache is written as the daemon ends
  daemon=
  [ -s "$installation/lib/serve.aot" ] && [ -s "$installation/lib/command.aot" ]
)

# docker_archive FOLDER NAME ARCHIVE: an image of one layer from FOLDER/rootfs, as docker save writes it.
docker_archive() {
  local folder=$1 name=$2 archive=$3
  tar -C "$folder/rootfs" --owner=0 --group=0 --numeric-owner -cf "$folder/layer.tar" .
  printf '{"architecture":"%s","os":"linux","config":{"Env":["PATH=/bin"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
    "$(dpkg --print-architecture)" "$(sha256sum "$folder/layer.tar" | cut -d' ' -f1)" >"$folder/config.json"
  printf '[{"Config":"config.json","RepoTags":["%s"],"Layers":["layer.tar"]}]' "$name" >"$folder/manifest.json"
  tar -C "$folder" -cf "$archive" manifest.json config.json layer.tar
}

[ $# != 1 ] || [ "${BASH_SOURCE[0]}" != "$0" ] || train_caches "$1"
