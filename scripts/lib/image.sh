# An image made on the spot from busybox, and a registry that serves it. Sourced, never executed.

# start_registry FOLDER: docker-registry on a free port of 127.0.0.1; sets REGISTRY (host:port) and REGISTRY_PID.
start_registry() {
  local folder=$1 attempt
  mkdir -p "$folder"
  for attempt in 1 2 3 4 5; do
    REGISTRY=127.0.0.1:$((20000 + RANDOM % 20000))
    cat >"$folder/config.yml" <<YML
version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $folder/storage}}
http: {addr: "$REGISTRY"}
YML
    docker-registry serve "$folder/config.yml" >"$folder/log" 2>&1 &
    REGISTRY_PID=$!
    for _ in $(seq 100); do
      curl -fs -o /dev/null "http://$REGISTRY/v2/" && kill -0 $REGISTRY_PID 2>/dev/null && return 0
      kill -0 $REGISTRY_PID 2>/dev/null || break # the port is taken: another one
      sleep 0.05
    done
    kill $REGISTRY_PID 2>/dev/null || true
    wait $REGISTRY_PID 2>/dev/null || true
  done
  cat "$folder/log" >&2
  return 1
}

# push_blob REPOSITORY FILE: uploads one file; prints "sha256:... SIZE".
push_blob() {
  local digest location
  digest=sha256:$(sha256sum "$2" | cut -d' ' -f1)
  location=$(curl -fsS -X POST -D - -o /dev/null "http://$REGISTRY/v2/$1/blobs/uploads/" |
    tr -d '\r' | awk 'tolower($1) == "location:" { print $2 }')
  case $location in http*) ;; *) location=http://$REGISTRY$location ;; esac
  case $location in *\?*) location="$location&" ;; *) location="$location?" ;; esac
  curl -fsS -X PUT -H 'Content-Type: application/octet-stream' --data-binary "@$2" "${location}digest=$digest"
  echo "$digest $(stat -c %s "$2")"
}

# push_busybox FOLDER REPOSITORY TAG: builds a small web server of busybox and puts it into the registry.
push_busybox() {
  local folder=$1 repository=$2 tag=$3 root=$1/rootfs applet layer diff_id config
  mkdir -p "$root"/{bin,etc,tmp,proc,sys,dev,root,www}
  chmod 1777 "$root/tmp"
  cp /bin/busybox "$root/bin/busybox"
  for applet in $(busybox --list); do
    [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
  done
  echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
  echo 'root:x:0:' >"$root/etc/group"
  echo 'Hello from inside the pod!' >"$root/www/index.html"
  tar -C "$root" --owner=0 --group=0 --numeric-owner -cf "$folder/layer.tar" .
  diff_id=sha256:$(sha256sum "$folder/layer.tar" | cut -d' ' -f1)
  gzip -n -1 "$folder/layer.tar"
  layer=$(push_blob "$repository" "$folder/layer.tar.gz")
  jq -nc --arg diff "$diff_id" --arg arch "$(dpkg --print-architecture)" '{architecture: $arch, os: "linux",
    config: {Env: ["PATH=/bin"], WorkingDir: "/www",
      Cmd: ["sh", "-c", "echo web server of pod $HOSTNAME is up; exec httpd -f -p 80 -h /www"]},
    rootfs: {type: "layers", diff_ids: [$diff]}}' >"$folder/config.json"
  config=$(push_blob "$repository" "$folder/config.json")
  jq -nc --arg layer "${layer% *}" --argjson layerSize "${layer#* }" --arg config "${config% *}" \
    --argjson configSize "${config#* }" '{schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: {mediaType: "application/vnd.oci.image.config.v1+json", digest: $config, size: $configSize},
      layers: [{mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest: $layer, size: $layerSize}]}' \
    >"$folder/manifest.json"
  curl -fsS -X PUT -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' \
    --data-binary "@$folder/manifest.json" "http://$REGISTRY/v2/$repository/manifests/$tag"
}
