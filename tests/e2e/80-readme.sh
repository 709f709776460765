#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The README's commands, as they stand there: in a machine of their own as far as names, addresses and folders go.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/netns.sh"

why=$(netns_missing) && skip_all "$why"
unshare -m true 2>/dev/null || skip_all "this machine allows no mount namespaces"

# shellcheck disable=SC2016 # no command substitution
sed -n '/^```sh$/,/^```$/p' "$SOURCE/README.md" | sed '/^```/d' >"$T/commands"
plan 7
is "the README has its ten lines" "$(grep -c . "$T/commands")" 10

mkdir "$T/home"
cp "$SOURCE/doc/examples/fleet.csv" "$T/home/"
sed 's/^127\.0\.0\.1.*/& vpn.example.com pbx.example.com/' /etc/hosts >"$T/hosts"
grep -q vpn.example.com "$T/hosts" || echo "127.0.0.1 localhost vpn.example.com pbx.example.com" >>"$T/hosts"

# Each command is waited for, but the server has to be up before a phone can ask it.
cat >"$T/play" <<'PLAY'
set -eu
mount --bind "$T/hosts" /etc/hosts
for dir in /var/lib /etc/openvpn; do
	mkdir -p "$dir"
	mount -t tmpfs tmpfs "$dir"
done
umask 022
cd "$T/home"
finish() {
	[ -z "${server-}" ] || kill "$server"
	refphone --state d65 disconnect >/dev/null 2>&1 || true
}
trap finish EXIT
while IFS= read -r line; do
	echo "+ $line"
	eval "$line"
	case $line in
	*'&')
		server=$!
		for _ in $(seq 100); do
			if curl -s -o /dev/null http://pbx.example.com:8080/; then break; fi
			sleep 0.1
		done
		;;
	esac
done <"$T/commands"
PLAY
netns_server
NETNS=$(netns_name server)
export NETNS
in_netns server unshare -m bash "$T/play" >"$T/play.out" 2>&1
is "every command succeeds" $? 0 || diag <"$T/play.out"
like "four of eight are turned down" "$(cat "$T/play.out")" "8 phones imported, 4 of them turned down"
like "four are minted" "$(cat "$T/play.out")" "minted 4"
like "the reference phone is connected" "$(cat "$T/play.out")" "[Cc]onnected"
# Whatever is in the namespace that was made here is ours to end: the OpenVPN server that became a daemon.
in_namespace() {
	ip netns pids "$NETNS"
}
empty() {
	[ -z "$(in_namespace)" ]
}
is "only the OpenVPN server is left running" "$(in_namespace | xargs -r ps -o comm= -p | sort -u)" openvpn
in_namespace | xargs -r kill
ok "... and ends when it is asked" wait_until 10 empty
