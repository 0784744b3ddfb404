#!/usr/bin/env bash
# Installs the Debian packages that the tests use: a real MQTT broker, PostgreSQL, openssl, Python for the examples of the
# documents, what makes links and wrong clocks, and what runs the arm64 binary.
# As root on Debian or Ubuntu it installs what is missing; elsewhere it prints the command and ends with 0, because
# tests that lack a package are reported as skipped.
set -euo pipefail

packages=(
  mosquitto mosquitto-clients openssl openssh-server postgresql iproute2 libfaketime
  age python3-paho-mqtt python3-cryptography python3-jinja2
  qemu-user-static libc6-arm64-cross libstdc++6-arm64-cross libatomic1-arm64-cross
)

if ! command -v dpkg-query >/dev/null; then
  echo "No Debian packages here. The tests use: mosquitto (2.0 or newer), openssl, sshd, PostgreSQL, iproute2, libfaketime, age, Python 3 with paho-mqtt, cryptography and jinja2, qemu-aarch64-static with arm64 libraries."
  exit 0
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done
[ "${#missing[@]}" -gt 0 ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
  echo "Tests that use ${missing[*]} will be skipped. To install:"
  echo "  sudo apt-get update && sudo apt-get install --yes --no-install-recommends ${missing[*]}"
  exit 0
fi

# The tests start servers of their own; those of Debian must not start with their packages.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi

export DEBIAN_FRONTEND=noninteractive
apt-get update --quiet=2
apt-get install --yes --no-install-recommends --quiet=2 "${missing[@]}"
