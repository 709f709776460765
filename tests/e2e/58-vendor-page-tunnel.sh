#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The sentences of the vendor's page that need a tunnel, or a root's rights; see 55-vendor-page.sh. The phone fetches its
# file on one network, and connects on another one, where there is no web server: the way that the page describes.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/webservers.sh"
. "$(dirname "$0")/netns.sh"
. "$(dirname "$0")/page.sh"

why=$(netns_missing) && skip_all "$why"
{ netns_server && netns_phone desk; } || bail_out "namespaces"
page_state "$NETNS_SERVER" || bail_out "no fleet"
server=nginx
page_web nginx nginx basic || bail_out nginx

on_cleanup() {
	[ ! -e "$T/phone" ] || hang_up >/dev/null 2>&1
}

# vpn PROTO LZO [LINE...]: the emitted server with these settings, and the phone's file as $PROTO-$LZO.ovpn.
vpn() {
	[ -z "${spawned[openvpn]-}" ] || stop openvpn
	rm -rf "$T/server"
	phonevpn config set vpn-proto "$1" && phonevpn config set vpn-lzo "$2" && page_bundle "$1-$2" &&
		phonevpn --quiet emit server --out "$T/server" || return 1
	printf '%s\n' "${@:3}" >>"$T/server/server.conf"
	spawn openvpn in_netns server openvpn --cd "$T/server" --config server.conf
	wait_until 20 printed openvpn 'Initialization Sequence Completed'
}

hang_up() {
	refphone --state "$T/phone" --quiet disconnect
}

# moved FILE: fetched at home, and then booted on the other network.
moved() {
	publish "$(enable 1)$(inline "$1")"
	boots ok --no-connect && holds "$1" || return 1
	in_netns desk refphone --state "$T/phone" --json boot --timeout 30 >"$T/boot.json" 2>"$T/boot.err"
	says xml failed "not fetched" && says vpn "done" "connected to $NETNS_SERVER:1194, VPN address 10\.8\."
}

address() {
	phone --json status | jq -r .vpn_address
}

carries_data() {
	in_netns desk ping -q -c 2 -i 0.2 -s 1200 -W 5 10.8.0.1 && in_netns server ping -q -c 2 -i 0.2 -s 1200 -W 5 "$(address)"
}

connects_elsewhere() {
	vpn udp no && moved udp-no && carries_data
}

connected_screen() {
	moved udp-no && shows .icon=check .connection=Connected .softkey=Disconnect .shield=blue \
		.vpn_address="$(in_netns desk ip -4 -o address show dev tun0 | sed 's,.* inet \([0-9.]*\).*,\1,')" &&
		draws ' v +Configuration file +loaded' "VPN address +$(address)" 'Status +Connected' '\| +Disconnect +\|' \
			'VPN: blue shield'
}

disconnects_and_connects() {
	moved udp-no && in_netns desk refphone --state "$T/phone" --quiet disconnect &&
		shows .icon=x .connection=Disconnected .softkey=Connect .shield=red .vpn_address=null || return 1
	[ -z "$(ip netns pids "$(netns_name desk)")" ] || return 1
	in_netns desk refphone --state "$T/phone" --quiet connect --timeout 30 &&
		shows .icon=check .connection=Connected .softkey=Disconnect .shield=blue && carries_data
}

udp_and_tcp() {
	moved udp-no && carries_data && grep -q 'UDP' "$T/phone/openvpn.log" || return 1
	hang_up
	vpn tcp no && moved tcp-no && carries_data && grep -q 'TCP' "$T/phone/openvpn.log"
}

compresses() {
	vpn udp yes && moved udp-yes && carries_data && grep -x comp-lzo "$page_www/udp-yes.ovpn"
}

has_no_password() {
	printf '#!/bin/sh\nexit 1\n' >"$T/refuse"
	chmod 755 "$T/refuse"
	vpn udp no "script-security 2" "auth-user-pass-verify $T/refuse via-file" || return 1
	publish "$(enable 1)$(inline udp-no)"
	boots ok --no-connect || return 1
	in_netns desk refphone --state "$T/phone" verify --timeout 8 >"$T/boot.json" 2>"$T/boot.err"
	says vpn failed "the server answers, and its log tells more" && shows .connection=Disconnected .shield=red .icon=x || return 1
	grep 'Auth Username/Password was not provided by peer' "$T/openvpn.out"
}

disconnects_where_disabled() {
	vpn udp no && moved udp-no || return 1
	publish "$(enable 0)$(inline udp-no)"
	boots vpn_disabled && says vpn "done" "tunnel brought down" && shows .connection=Disconnected .shield=none &&
		[ -z "$(ip netns pids "$(netns_name desk)")" ]
}

# What the phone trusts is this machine's list, so a list of our own is put in its place, in a world of the phone's own.
https() {
	local list=/etc/ssl/certs/ca-certificates.crt
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 \
		-keyout "$T/tls.key" -out "$T/tls.crt" || return 1
	spawn tls phonevpn serve --listen 127.0.0.1:0 --base-dir "$page_www" --tls-cert "$T/tls.crt" --tls-key "$T/tls.key"
	wait_until 10 printed tls 'listening on https:' || return 1
	phonevpn config set url "$(sed -n 's/^listening on //p' "$T/tls.out")" && page_bundle https --renew || return 1
	phonevpn emit url $mac >"$T/tls.url"
	publish "$(enable 0)<setting id=\"openvpn_inline_config\" url=\"$(phonevpn emit url $page_donor)ovpn/${page_md5[https]}/$page_donor.ovpn\" value=\"1\" md5=\"${page_md5[https]}\" />"
	url_file=$T/tls.url
	boots xml_unreachable && says xml failed "[Cc]ertificate" && holds nothing || return 1
	unshare --mount sh -c 'mount --bind "$1" "$2" && shift 2 && exec "$@"' sh "$T/tls.crt" "$list" \
		refphone --state "$T/phone" --json boot >"$T/boot.json" 2>"$T/boot.err"
	says bundle "done" fetched && holds https
}

section "Requirements and Overview"
row connects_elsewhere \
	"... and then, once successfully loaded, moving the phone to the insecure network." \
	"When enabled, the phone will, on boot, attempt to load its already-stored VPN configuration file and connect to the VPN."
hang_up
section "When the VPN is Enabled"
row connected_screen "If the configuration file was retrieved okay, the menu will display a green checkmark." \
	"The phone will also display the VPN IP Address and the connection status." \
	"When the phone is booted, OpenVPN is enabled, and the connection is successfully brought up, the phone will show a blue VPN shield icon in the status bar ..."
hang_up
row disconnects_and_connects "When connected, you may Disconnect using the Disconnect soft key." \
	"When disconnected, you may connect using the Connect soft key ..." \
	"If ... the VPN is not connected, the phone will display an red x icon."
hang_up
section "The OpenVPN configuration file"
row udp_and_tcp "The phone can operate OpenVPN in either UDP or TCP protocols."
hang_up
row compresses "The comp-lzo option has been tested to work ..."
hang_up
section "Important Notes"
row has_no_password "OpenVPN server configuration must not require manual password entry in order to connect." \
	"If the OpenVPN connection cannot be brought up, a red VPN shield icon will show in the status bar ..."
section "Disabling OpenVPN"
row disconnects_where_disabled "When disabled, the phone will not attempt to connect to the VPN."
if [ -e /etc/ssl/certs/ca-certificates.crt ]; then
	row https "The phone will ... attempt to cURL the files in from a defined http(s) server."
else
	skip 1 "no list of certificates (package ca-certificates)"
fi
is "no OpenVPN of the phone is left" "$(ip netns pids "$(netns_name desk)")" ""
done_testing
