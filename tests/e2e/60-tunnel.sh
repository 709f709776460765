#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Real tunnels: the emitted server against the emitted bundles, in network namespaces of their own; UDP and TCP, with and
# without comp-lzo, a phone held to TLS 1.0 and the page's ciphers, and a revoked one that is really kept out.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/netns.sh"

why=$(netns_missing) && skip_all "$why"
export PHONEVPN_DIR=$T/state
phonevpn --quiet init --vpn-host "$NETNS_SERVER" --url "http://$NETNS_SERVER" --ca-bits 2048 || bail_out init
phonevpn --quiet phone import "$SOURCE/doc/examples/fleet.csv" || bail_out import
{ netns_server && netns_phone d65 && netns_phone d60; } || bail_out "namespaces"
d65=000fd3006501
d60=000fd3006001

# bring_up: the HTTP and the OpenVPN server with the settings as they are
bring_up() {
	phonevpn --quiet mint --all >/dev/null || return 1
	phonevpn --quiet emit server --out "$T/server" || return 1
	spawn openvpn in_netns server openvpn --cd "$T/server" --config server.conf
	wait_until 20 printed openvpn 'Initialization Sequence Completed' || return 1
	[ -n "${spawned[serve]-}" ] || {
		spawn serve in_netns server phonevpn serve --listen "$NETNS_SERVER:0"
		wait_until 10 printed serve 'listening on' || return 1
		phonevpn config set url "$(sed -n 's/^listening on //p' "$T/serve.out")"
	}
}
# phone NAME MAC COMMAND...
phone() {
	local name=$1 mac=$2
	shift 2
	in_netns "$name" refphone --state "$T/$name" --mac "$mac" --model "${name^^}" --firmware 2_7_0 "$@"
}
boots() {
	phonevpn emit url "$2" >"$T/$2.url"
	phone "$1" "$2" boot --config-url-file "$T/$2.url" --timeout 30
}
on_cleanup() {
	for name in d65 d60; do
		[ ! -e "$T/$name" ] || refphone --state "$T/$name" --quiet disconnect >/dev/null 2>&1
	done
}
address() {
	refphone --state "$T/$1" --json status | jq -r '.address // .vpn_address // .vpn.address // empty'
}
both_ways() {
	in_netns "$1" ping -q -c 2 -i 0.2 -s 1200 -W 5 10.8.0.1 && in_netns server ping -q -c 2 -i 0.2 -s 1200 -W 5 "$(address "$1")"
}

for proto in udp tcp; do
	for lzo in no yes; do
		phonevpn config set vpn-proto $proto
		phonevpn config set vpn-lzo $lzo
		ok "$proto, comp-lzo $lzo: the emitted server starts" bring_up
		ok "$proto, comp-lzo $lzo: the phone connects" boots d65 $d65
		like "$proto, comp-lzo $lzo: blue shield" "$(refphone --state "$T/d65" status)" "shield: blue"
		ok "$proto, comp-lzo $lzo: ping in both directions" both_ways d65
		ok "$proto, comp-lzo $lzo: disconnect" refphone --state "$T/d65" disconnect
		like "$proto, comp-lzo $lzo: red shield" "$(refphone --state "$T/d65" status)" "shield: red"
		stop openvpn
	done
done

# ---- what the phone's OpenVPN 2.3.2 can do, imposed on today's ----
phonevpn config set vpn-proto udp
phonevpn config set vpn-lzo no
ok "the server for old phones" bring_up
phonevpn emit bundle $d65 >"$T/old.ovpn"
suites=ECDHE-RSA-AES256-SHA:ECDHE-RSA-AES128-SHA:AES256-SHA:AES128-SHA
spawn old in_netns d65 openvpn --config "$T/old.ovpn" --tls-version-min 1.0 --tls-version-max 1.0 \
	--tls-cipher "$suites:@SECLEVEL=0" --data-ciphers AES-256-CBC
ok "TLS 1.0, the page's suites and a CBC cipher: connects" wait_until 30 printed old 'Initialization Sequence Completed'
like "... over TLS 1.0" "$(cat "$T/old.out")" "Control Channel: TLSv1,"
like "... with the phone's cipher" "$(cat "$T/old.out")" "Data Channel: Cipher 'AES-256-CBC'|Data Channel Encrypt: Cipher 'AES-256-CBC'|cipher 'AES-256-CBC'|AES-256-CBC"
ok "... and carries data" in_netns d65 ping -q -c 2 -i 0.2 -s 1200 -W 5 10.8.0.1
stop old
sed 's/^remote-cert-tls server$/ns-cert-type server/' "$T/old.ovpn" >"$T/ns.ovpn"
spawn ns in_netns d65 openvpn --config "$T/ns.ovpn"
ok "the vendor sample's ns-cert-type server is satisfied" wait_until 30 printed ns 'Initialization Sequence Completed'
stop ns

# ---- a renewed certificate, and a revoked one ----
ok "two phones at once" boots d65 $d65
ok "... the second" boots d60 $d60
phonevpn --quiet mint $d65 --renew
ok "a renewed certificate is fetched and connects" boots d65 $d65
is "... it is the new one" "$(md5sum "$T"/d65/bundle-*.ovpn | cut -d' ' -f1)" "$(phonevpn emit md5 $d65)"
ok "... ping" both_ways d65
ok "the other phone never noticed" both_ways d60
ok "disconnect" refphone --state "$T/d65" disconnect
ok "revoke" phonevpn revoke $d65
ok "the CRL in place" phonevpn crl --out "$T/server/crl.pem"
ok "the revoked bundle is kept out" fails_with 1 phone d65 $d65 connect --timeout 8
like "... by the server's word" "$(cat "$T/openvpn.out")" "certificate revoked"
like "... red shield" "$(refphone --state "$T/d65" status)" "shield: red"
ok "the other phone still gets in" sh -c "refphone --state '$T/d60' disconnect && ip netns exec $(netns_name d60) refphone --state '$T/d60' connect"
ok "the XML turns the revoked phone's VPN off" boots d65 $d65
like "... no shield" "$(refphone --state "$T/d65" status)" "shield: none"
on_cleanup
is "no OpenVPN of a phone is left" "$(ip netns pids "$(netns_name d65)"; ip netns pids "$(netns_name d60)")" ""
done_testing
