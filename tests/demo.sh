#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The main job on a throwaway fleet: imported, minted, served, fetched and checked by a reference phone each, and, where
# the machine allows TUN devices and namespaces, connected through a real OpenVPN server. Leaves nothing behind.
[ $# -eq 0 ] || BUILD=$1
. "$(dirname "$0")/e2e/lib.sh"
. "$(dirname "$0")/e2e/netns.sh"

export PHONEVPN_DIR=$T/state
fleet=$SOURCE/doc/examples/fleet.csv

step() {
	printf '\n== %s\n' "$*"
}
# The command as a newcomer would type it, then what it prints.
run() {
	printf '$ %s\n' "${*//$T\//}"
	"$@" || fail "${*//$T\//}"
}
fail() {
	printf 'demo: failed: %s\n' "$*" >&2
	exit 1
}
phones_that() {
	phonevpn phone list | awk -v vpn="$1" 'NR > 1 && index($0, vpn) { print $1 }'
}
# at PHONE COMMAND...: where that phone stands
at() {
	local phone=$1
	shift
	if [ -n "$tunnel" ]; then
		in_netns "$phone" "$@"
	else
		"$@"
	fi
}
phone() {
	local mac=$1
	shift
	at "$mac" refphone --state "$T/phones/$mac" "$@"
}
# However this ends, no phone's OpenVPN stays.
on_cleanup() {
	local dir
	for dir in "$T"/phones/*/; do
		[ ! -e "$dir" ] || refphone --state "$dir" --quiet disconnect >/dev/null 2>&1
	done
}

tunnel=yes
host=$NETNS_SERVER
if missing=$(netns_missing); then
	tunnel=
	host=127.0.0.1
	echo "no tunnels here: $missing; the rest is shown all the same"
fi

step "A state folder with a CA, and a fleet of all eight models from a CSV file"
run phonevpn init --vpn-host "$host" --url "http://$host:8080"
run phonevpn phone import "$fleet"
imported=$(phonevpn phone list | awk 'NR > 1' | wc -l)
turned_down=$(phones_that "turned down" | wc -l)

step "A key, a certificate and a bundle for each phone that can do OpenVPN"
run phonevpn mint --all
minted=$(phones_that offered | wc -l)
run phonevpn phone list

step "The phones' server${tunnel:+, and a real OpenVPN server, each in a network of its own}"
if [ -n "$tunnel" ]; then
	netns_server || fail "the server's network"
	phonevpn phone list | awk 'NR > 1 { print $1 }' >"$T/macs"
	while read -r mac; do netns_phone "$mac" || fail "the network of $mac"; done <"$T/macs"
	run phonevpn emit server --out "$T/server"
	spawn openvpn in_netns server openvpn --cd "$T/server" --config server.conf
	wait_until 20 printed openvpn 'Initialization Sequence Completed' || {
		cat "$T/openvpn.out"
		fail "the OpenVPN server does not start"
	}
	spawn serve in_netns server phonevpn serve --listen "$host:0"
else
	phonevpn phone list | awk 'NR > 1 { print $1 }' >"$T/macs"
	spawn serve phonevpn serve --listen "$host:0"
fi
wait_until 20 printed serve 'listening on' || {
	cat "$T/serve.err"
	fail "the HTTP server does not start"
}
url=$(sed -n 's/^listening on //p' "$T/serve.out")
echo "serving on $url, with digest login"
run phonevpn config set url "$url"

step "One reference phone each: fetch the XML by digest, walk the md5 gate, install${tunnel:+, connect}"
mkdir "$T/phones"
fetched=0
connected=0
connect=(--no-connect)
[ -z "$tunnel" ] || connect=(--timeout 30)
phonevpn phone list | awk 'NR > 1 { print $1, $2, $3 }' >"$T/list"
while read -r mac model firmware; do
	phonevpn emit url "$mac" >"$T/$mac.url" || fail "the URL of $mac"
	printf '\n-- %s %s\n' "$model" "$mac"
	phone "$mac" --mac "$mac" --model "$model" --firmware "$firmware" boot --config-url-file "$T/$mac.url" \
		"${connect[@]}" </dev/null || fail "$mac does not boot"
done <"$T/list"

step "What was installed is what was minted"
for mac in $(phones_that offered); do
	installed=$(md5sum "$T/phones/$mac"/bundle-*.ovpn | cut -d' ' -f1)
	[ "$installed" = "$(phonevpn emit md5 "$mac")" ] || fail "$mac: its bundle has md5 $installed"
	echo "$mac $installed"
	fetched=$((fetched + 1))
done

if [ -n "$tunnel" ]; then
	step "A ping through every tunnel, in both directions"
	for mac in $(phones_that offered); do
		address=$(phone "$mac" status | awk '/VPN address/ { print $NF }')
		at "$mac" ping -q -c 1 -W 5 10.8.0.1 >"$T/ping" || fail "$mac: no answer from the server"
		in_netns server ping -q -c 1 -W 5 "$address" >"$T/ping" || fail "$mac: $address does not answer the server"
		echo "$mac $address: both"
		connected=$((connected + 1))
	done
fi

step "What each phone's screen shows"
while read -r mac _; do
	phone "$mac" screen || fail "$mac: screen"
	echo
done <"$T/list"

proved="$imported phones imported, $turned_down turned down for the VPN, $minted minted, served and fetched"
[ "$imported $turned_down $minted $fetched" = "8 4 4 4" ] || fail "only: $proved ($fetched fetched)"
if [ -n "$tunnel" ]; then
	[ "$connected" -eq 4 ] || fail "only $connected connected"
	echo "proved: $proved; $connected connected, pinged in both directions"
else
	echo "proved: $proved; not proved: the tunnel ($missing)"
fi
