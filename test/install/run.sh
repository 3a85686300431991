#!/usr/bin/env bash
# Packs the project, installs the tarball in an empty folder with npm's default settings, without a compiler on PATH and, where
# this is root, as a user without rights; then runs a short demo there. Needs the npm registry and nothing else.
#
#   test/install/run.sh [NPM]    NPM: the npm command to try, such as "npx --yes npm@10"; default: npm
set -euo pipefail
cd "$(dirname "$0")/../.."
npm=${1:-npm}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/home" "$work/app" "$work/tmp" "$work/bin"

npm run --silent build
npm pack --silent --ignore-scripts --pack-destination "$work" >/dev/null

# Only what npm and Node.js themselves need: no compiler, no make, no python.
for tool in node npm npx sh env dirname readlink sed uname git; do
  path=$(command -v "$tool") && ln -s "$path" "$work/bin/$tool"
done

# The environment of a new user, but for the certificates that this machine may need to reach the registry.
try() {
  local clean=(env -i HOME="$work/home" TMPDIR="$work/tmp" PATH="$work/bin" CI=true
    ${NODE_EXTRA_CA_CERTS:+NODE_EXTRA_CA_CERTS="$NODE_EXTRA_CA_CERTS"}
    ${https_proxy:+https_proxy="$https_proxy"})
  if [ "$(id -u)" = 0 ]; then
    setpriv --reuid=65534 --regid=65534 --clear-groups "${clean[@]}" "$@"
  else
    "${clean[@]}" "$@"
  fi
}
[ "$(id -u)" = 0 ] && chown -R 65534:65534 "$work"

cd "$work/app"
# shellcheck disable=SC2086 # NPM may be several words.
if ! try $npm ping >/dev/null 2>&1; then
  echo "install: skipped, the npm registry cannot be reached"
  exit 0
fi
start=$SECONDS
# shellcheck disable=SC2086
try $npm install "$work"/lossledger-*.tgz
echo "install: $($npm --version) took $((SECONDS - start)) s, $(du -sm node_modules | cut -f1) MB"

# What npm leaves out of a heavy part costs speed or a format, and the command line says what is missing and how to add it.
start=$SECONDS
try npx lca engines
try npx lca demo --iterations 3 --subset 500 --quiet --out demo-run
try npx lca verify demo-run --quiet
echo "install: engines, demo and verify took $((SECONDS - start)) s"

expect() {
  local words=$1
  shift
  try "$@" 2>&1 | grep -F -- "$words" || { echo "install: \`$*\` does not say: $words"; exit 1; }
}
rm -rf node_modules/koffi node_modules/@koromix node_modules/@resvg node_modules/onnxruntime-node
expect 'npm install --ignore-scripts onnxruntime-node' npx lca engines
expect 'npm install @resvg/resvg-js' npx lca figures demo-run --out figures --quiet
[ -n "$(ls figures/*.svg)" ]
if cc --version >/dev/null 2>&1; then
  expect 'npm install koffi' env PATH="$PATH" npx lca engines
fi
echo "install: without the optional parts the rest works, and says what is missing"
