#!/usr/bin/env bash
# Servers that tests want and npm cannot bring. As root on Debian they are installed; elsewhere their tests skip.
set -euo pipefail

packages=(
  mariadb-server
  pgbouncer
  pgpool2
  haproxy
  g++
  make
  python3
  unixodbc
  unixodbc-dev
  odbc-postgresql
  odbc-mariadb
  libsqliteodbc
  tdsodbc
  freetds-bin
)

install_missing() {
  local missing=()
  for package in "$@"; do
    dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  local log
  log=$(mktemp)
  export DEBIAN_FRONTEND=noninteractive
  if ! { apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    echo "could not install ${missing[*]}:" && cat "$log"
  fi
  rm -f "$log"
}

if [ ${#packages[@]} -gt 0 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  install_missing "${packages[@]}"
fi
