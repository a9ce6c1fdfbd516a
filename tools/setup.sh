#!/bin/sh
# Installs what the tests need and the machine lacks. The tests start their own PostgreSQL in a temporary directory; they
# need its programs only.
set -eu
if command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
  exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo 'setup: PostgreSQL is missing: install the package "postgresql" (Debian) and run this again' >&2
  exit 1
fi
echo 'setup: installing postgresql' >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -q >/dev/null
apt-get install -qy --no-install-recommends postgresql >/dev/null
