# Caches of what the JVM has loaded, linked and profiled (ahead-of-time caches, JEP 483 and 515): with them the daemon
# starts in less than half the time and needs no warm-up. Made by running pods once. Sourced by scripts/build; `mvn verify`
# executes it with the installation as its argument.

# train_caches INSTALLATION: writes lib/serve.aot and lib/command.aot beside the jars.
train_caches() (
  set -uo pipefail
  installation=$1
  work=$(mktemp -d /tmp/keelson-train.XXXXXX)
  bridge=ktrain$((RANDOM % 10000))
  # No machine code in them: it would be this processor's, and the JVM would die of it on an older one.
  portable="-XX:+UnlockDiagnosticVMOptions -XX:-AOTAdapterCaching -XX:-AOTStubCaching"
  daemon=
  registry=
  finish() {
    [ -z "$registry" ] || { kill "$registry" 2>/dev/null || true; wait "$registry" 2>/dev/null || true; }
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
[nri]
socket = "$work/nri.sock"
plugin_dir = "$work/nri"
TOML
  export KEELSON_SOCKET=$work/state/keelson.sock
  KEELSON_JAVA_OPTS="$portable -XX:AOTCacheOutput=$installation/lib/serve.aot" \
    "$installation/bin/keelson" serve --config "$work/config.toml" >"$work/daemon.log" 2>&1 &
  daemon=$!
  for _ in $(seq 300); do
    "$installation/bin/keelson" status >/dev/null 2>&1 && break
    kill -0 "$daemon" 2>/dev/null || return 1
    sleep 0.1
  done
  "$installation/bin/keelson" import "$work/image.tar" >/dev/null || return 1
  # A pull too, from a server of plain files that every JDK has.
  if [ -x "${JAVA_HOME:-}/bin/jwebserver" ]; then
    registry_folder "$work" "$installation/lib"
    port=$((20000 + RANDOM % 10000))
    "$JAVA_HOME/bin/jwebserver" --bind-address 127.0.0.1 --port "$port" --directory "$work/registry" --output none \
      >/dev/null 2>&1 &
    registry=$!
    for _ in $(seq 50); do
      "$installation/bin/keelson" pull "127.0.0.1:$port/train/pull:1" >/dev/null 2>&1 && break
      sleep 0.1
    done
  fi
  KEELSON_JAVA_OPTS="$portable -XX:AOTCacheOutput=$installation/lib/command.aot" \
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

# registry_folder WORK CONTENT: what a registry serves, as plain files; an image of one layer of CONTENT, large enough for
# the JVM to learn how a pull runs.
registry_folder() {
  local work=$1 content=$2 base=$1/registry/v2/train/pull layer diff config
  mkdir -p "$base/blobs" "$base/manifests"
  tar -C "$content" -cf "$work/pull.tar" .
  diff=$(sha256sum "$work/pull.tar" | cut -d' ' -f1)
  gzip -n -3 "$work/pull.tar"
  layer=$(sha256sum "$work/pull.tar.gz" | cut -d' ' -f1)
  printf '{"architecture":"%s","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
    "$(dpkg --print-architecture)" "$diff" >"$work/pull.json"
  config=$(sha256sum "$work/pull.json" | cut -d' ' -f1)
  printf '{"schemaVersion":2,"config":{"digest":"sha256:%s","size":%d},"layers":[{"digest":"sha256:%s","size":%d}]}' \
    "$config" "$(stat -c %s "$work/pull.json")" "$layer" "$(stat -c %s "$work/pull.tar.gz")" >"$base/manifests/1"
  mv "$work/pull.json" "$base/blobs/sha256:$config"
  mv "$work/pull.tar.gz" "$base/blobs/sha256:$layer"
}

[ $# != 1 ] || [ "${BASH_SOURCE[0]}" != "$0" ] || train_caches "$1"
