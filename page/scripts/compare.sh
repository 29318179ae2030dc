#!/bin/sh
# Build the page into a temporary folder, and fail if the page in the package differs.
set -eu
cd "$(dirname "$0")/.."
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT
PAGE_OUT="$built" npm run --silent build -- --logLevel warn
if ! diff -r "$built" ../src/boxmask/serving/page/static >&2; then
  echo "The page in src/boxmask/serving/page/static is not that of its source. Run: make page" >&2
  exit 1
fi
