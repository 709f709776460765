#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The day of the change: phones that were configured by hand with easy-rsa's certificates go on working on the server that
# phonevpn writes, the revoked one stays out, and each gets its bundle when it asks for it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/netns.sh"
. "$(dirname "$0")/pki.sh"

why=$(netns_missing) && skip_all "$why"
command -v easyrsa >/dev/null || bail_out "no easyrsa"
cd "$T" || exit 1
export PHONEVPN_DIR=$T/state
kept=000fd3006501
stolen=000fd3006001
make_pki() {
	er init-pki && er build-ca nopass && er build-server-full vpn nopass && er build-client-full reception nopass &&
		er build-client-full $stolen nopass && er revoke $stolen keyCompromise && er gen-crl
}
ok "easy-rsa makes a PKI" make_pki || bail_out "no PKI"
{ netns_server && netns_phone d65 && netns_phone d60; } || bail_out "namespaces"
printf 'mac,model,firmware,certificate\n%s,D65,2_7_0,reception\n' $kept >fleet.csv
ok "it is taken over" phonevpn import easyrsa pki --vpn-host "$NETNS_SERVER" --url "http://$NETNS_SERVER" --fleet fleet.csv
ok "emit server" phonevpn emit server --out server
spawn openvpn in_netns server openvpn --cd "$T/server" --config server.conf
ok "the phone's VPN address is written under the name that its certificate has" test -e server/ccd/reception
ok "the server starts" wait_until 20 printed openvpn 'Initialization Sequence Completed'

# by_hand NAME CERTIFICATE KEY: the client configuration that the admin once wrote, as the vendor's sample is.
by_hand() {
	cat >"$1.ovpn" <<-END
		client
		dev tun
		proto udp
		remote $NETNS_SERVER 1194
		resolv-retry infinite
		nobind
		persist-key
		persist-tun
		cipher AES-256-CBC
		remote-cert-tls server
		verb 3
		<ca>
		$(cat pki/ca.crt)
		</ca>
		<cert>
		$(openssl x509 -in "$2")
		</cert>
		<key>
		$(cat "$3")
		</key>
	END
}
by_hand reception pki/issued/reception.crt pki/private/reception.key
spawn reception in_netns d65 openvpn --config "$T/reception.ovpn"
ok "a phone with the bundle that it has connects" wait_until 30 printed reception 'Initialization Sequence Completed'
ok "... and carries data" in_netns d65 ping -q -c 2 -i 0.2 -s 1200 -W 5 10.8.0.1
address=$(awk '{ print $2 }' server/ccd/reception)
like "... from its own address" "$(in_netns d65 ip -4 -o address show dev tun0)" "inet $address/"
serial=$(revoked_serial keyCompromise)
by_hand stolen "pki/revoked/certs_by_serial/$serial.crt" "pki/revoked/private_by_serial/$serial.key"
spawn stolen in_netns d60 openvpn --config "$T/stolen.ovpn"
ok "the one that easy-rsa has revoked is refused" wait_until 30 printed openvpn "VERIFY ERROR: .*certificate revoked: CN=$stolen"
ok "... and never comes in" fails_with 1 printed stolen 'Initialization Sequence Completed'
stop stolen
stop reception

spawn serve in_netns server phonevpn serve --listen "$NETNS_SERVER:0"
ok "serve" wait_until 10 printed serve 'listening on'
phonevpn config set url "$(sed -n 's/^listening on //p' serve.out)"
phonevpn emit url $kept >kept.url
phone() {
	in_netns d65 refphone --state "$T/phone" --mac $kept --model D65 --firmware 2_7_0 "$@"
}
on_cleanup() {
	[ ! -e "$T/phone" ] || refphone --state "$T/phone" --quiet disconnect >/dev/null 2>&1
}
ok "the phone fetches its bundle and connects" phone boot --config-url-file kept.url --timeout 30
like "... blue shield" "$(refphone --state phone status)" "shield: blue"
like "... with the certificate that it always had" "$(cat openvpn.out)" "VERIFY OK: depth=0, CN=reception"
ok "... and carries data" in_netns d65 ping -q -c 2 -i 0.2 -s 1200 -W 5 10.8.0.1
phone disconnect >/dev/null
ok "it is revoked" phonevpn revoke $kept
phonevpn crl --out server/crl.pem
spawn late in_netns d65 openvpn --config "$T/reception.ovpn"
ok "... also where it has the bundle of old" wait_until 30 printed openvpn "VERIFY ERROR: .*certificate revoked: CN=reception"
done_testing
