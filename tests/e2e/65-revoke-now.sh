#!/bin/bash
# SPDX-License-Identifier: ISC
#
# A stolen phone: with revoke --now its session ends within seconds, and it does not come back, before the server has the CRL
# and after; and nobody else's session ends, not even that of a phone whose certificate has the same name.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/netns.sh"
. "$(dirname "$0")/pki.sh"

export PHONEVPN_DIR=$T/state
dir=$T/server
socket=$dir/management/socket
stolen=000fd3006501
twin=000fd3006001 # its certificate has the same name
neighbour=000fd3006201
make_pki() {
	er init-pki && er build-ca nopass && er build-server-full vpn nopass && er build-client-full phones nopass &&
		openssl req -new -newkey rsa:2048 -nodes -subj /CN=phones -keyout "$T/pki/private/twin.key" -out "$T/pki/reqs/twin.req" 2>"$T/req.err" &&
		ca_sign "$T/pki" twin 20200101000000Z 20400101000000Z -extensions client
}
cd "$T" || exit 1
ok "easy-rsa makes a PKI" make_pki || bail_out "no PKI"
# by_hand CERTIFICATE KEY FILE: the client configuration that the admin once wrote
by_hand() {
	cat >"$3" <<-END
		client
		dev tun
		proto udp
		remote $NETNS_SERVER 1194
		nobind
		cipher AES-256-CBC
		remote-cert-tls server
		<ca>
		$(cat pki/ca.crt)
		</ca>
		<cert>
		$(openssl x509 -in "pki/issued/$1.crt")
		</cert>
		<key>
		$(cat "pki/private/$2.key")
		</key>
	END
}
by_hand phones phones "$T/stolen.ovpn"
by_hand twin twin "$T/twin.ovpn"
ok "it is taken over" phonevpn --quiet import easyrsa pki --vpn-host "$NETNS_SERVER" --url "http://$NETNS_SERVER"
ok "a phone's certificate" phonevpn --quiet import ovpn --mac $stolen --model D65 "$T/stolen.ovpn"
ok "... and another phone's, of the same name" phonevpn --quiet import ovpn --mac $twin --model D60 "$T/twin.ovpn"
phonevpn --quiet phone add $neighbour --model D62
phonevpn --quiet mint $neighbour
phonevpn emit bundle $neighbour >"$T/neighbour.ovpn"
phonevpn --quiet emit server --out "$dir"
sed -i '/^client-config-dir/d' "$dir/server.conf"
echo duplicate-cn >>"$dir/server.conf"
serial_of() {
	openssl x509 -in "pki/issued/$1.crt" -noout -serial | sed 's/.*=//' | tr A-F a-f
}
barred() {
	sqlite3 "$T/state/phonevpn.db" 'SELECT count(*) FROM barred'
}

ok "a dry run" phonevpn revoke --now --dry-run $stolen
is "... changes nothing" "$(barred) $(phonevpn --json phone show $stolen | jq '[.generations[].revoked] | map(select(. != null and . != false)) | length')" "0 0"
ok "no such phone" fails_with 3 phonevpn revoke --now 000fd3999999
is "... bars nobody" "$(barred)" 0

if why=$(netns_missing); then
	diag "no tunnels here: $why"
	done_testing
	exit
fi
{ netns_server && netns_phone stolen && netns_phone twin && netns_phone neighbour; } || bail_out "namespaces"
spawn openvpn in_netns server sh -c "cd / && exec openvpn --config '$dir/server.conf'"
ok "the server starts" wait_until 20 printed openvpn 'Initialization Sequence Completed'
watches() {
	spawn watch phonevpn watch --management "$socket"
	wait_until 20 printed watch "^phonevpn: $socket: attached"
}
ok "watch" watches
# connects PHONE
connects() {
	[ -z "${spawned[$1]-}" ] || stop "$1"
	spawn "$1" in_netns "$1" openvpn --config "$T/$1.ovpn" --dev tun0
	wait_until 30 printed "$1" 'Initialization Sequence Completed'
}
for phone in stolen twin neighbour; do
	ok "$phone connects" connects $phone
done
pings() {
	spawn "ping-$1" in_netns "$1" ping -i 0.2 -W 5 10.8.0.1
	wait_until 10 printed "ping-$1" 'bytes from'
}
ok "a ping through the neighbour's tunnel" pings neighbour
ok "... and through that of the same name" pings twin
ok "... and the stolen one's" pings stolen
stop ping-stolen INT

# ---- it is stolen ----
begun=${EPOCHREALTIME%.*}
ok "revoke --now" phonevpn revoke --now $stolen
took=$((${EPOCHREALTIME%.*} - begun))
diag "it took $took s"
like "... says that its session has ended" "$(cat "$T/out")" "no session of it goes on at the 1 servers that are watched"
like "... and that the server has no CRL yet" "$(cat "$T/out")" "does not know yet"
ok "the phone was told to stay away" wait_until 20 printed stolen 'SIGTERM\[soft,server-pushed-halt\] received, process exiting'
ok "... and its client has ended" wait_until 10 ended stolen
ok "the server has let it go" wait_until 10 printed openvpn 'phones/.*(SIGTERM|client-instance exiting)'
ok "watch says whom it sent away" printed watch "warning: $socket: told to end the session of client 0, phones from 198\.18\..*: its certificate is barred"
like "who has barred which certificate is an event" "$(phonevpn events $stolen)" "certificate.bar +$stolen +serial $(serial_of phones): .*phonevpn revoke"
ok "... and who ended which session at which server" wait_until 10 sh -c "phonevpn events | grep -q 'session.end .*$stolen .*client 0 of phones at $socket .*phonevpn watch'"
ok "... all is in order with the log" phonevpn events --verify
unset 'spawned[stolen]'

# ---- before the CRL ----
ok "the thief tries again" connects stolen
ok "... and is out again" wait_until 20 printed stolen 'process exiting'
ok "a client that does not listen" sh -c "sed 's/^client$/tls-client\nifconfig 10.8.0.77 10.8.0.1/' '$T/stolen.ovpn' >'$T/deaf.ovpn'"
unset 'spawned[stolen]'
before=$(printed openvpn 'phones/.*SIGTERM' | wc -l)
spawn deaf in_netns stolen openvpn --config "$T/deaf.ovpn" --dev tun0
ok "... is let go as well" wait_until 20 sh -c "[ \"\$(grep -cE 'phones/.*(SIGTERM|delayed-exit|exiting)' '$T/openvpn.out' '$T/openvpn.err' | awk -F: '{ n += \$2 } END { print n }')\" -gt $before ]"
stop deaf

# ---- of whom nobody saw the certificate ----
stop watch
ok "while nobody watches it comes" connects stolen
ok "watch again" watches
ok "... whose name has another certificate that is not barred" in_netns stolen ping -q -c 5 -i 0.2 -W 5 10.8.0.1
ok "... so that it stays" lives stolen
ok "when that is barred, too" phonevpn --json revoke --now --serial "$(serial_of twin)"
is "... both go" "$(jq -c '[.revoked, .now.barred, .now.session, .now.servers]' "$T/out")" "[[\"$(serial_of twin)\"],1,\"ended\",1]"
ok "... the one that nobody saw" wait_until 20 printed stolen 'process exiting'
ok "... and the other" wait_until 20 printed twin 'process exiting'
unset 'spawned[stolen]' 'spawned[twin]'
stop ping-twin INT

# ---- after the CRL ----
ok "the server is told" phonevpn --quiet emit server --out "$dir"
sed -i '/^client-config-dir/d' "$dir/server.conf"
spawn stolen in_netns stolen openvpn --config "$T/stolen.ovpn" --dev tun0
ok "the certificate is refused" wait_until 20 printed openvpn 'VERIFY ERROR: depth=0, error=certificate revoked'
ok "... and it never comes in" fails_with 1 printed stolen 'Initialization Sequence Completed'
stop stolen

# ---- the neighbour ----
stop ping-neighbour INT
like "the neighbour's ping went through all of that" "$(printed ping-neighbour 'packets transmitted')" ' 0% packet loss'
ok "... and its session is the first one" sh -c "[ \"\$(grep -c 'Initialization Sequence Completed' '$T/neighbour.out')\" = 1 ]"
stop watch
ok "without watch" fails_with 1 phonevpn revoke --now $neighbour
like "... that is said" "$(cat "$T/err")" "revoked, but no 'phonevpn watch' seems to be running"
is "... and it is revoked" "$(phonevpn --json phone show $neighbour | jq '[.generations[].revoked] | map(select(. == null or . == false)) | length')" 0
ok "once more" fails_with 1 phonevpn revoke --now $neighbour
ok "watch comes" watches
ok "... and does it" wait_until 20 printed neighbour 'process exiting'
ok "... as is told to who asks again" phonevpn revoke --now $neighbour
unset 'spawned[neighbour]'
ok "watch ends" stop watch
unlike "nothing else was said" "$(grep -E 'error|ERROR' "$T/watch.err")" .
ok "the log is whole" phonevpn events --verify
is "... and the state sound" "$(sqlite3 "$T/state/phonevpn.db" 'PRAGMA integrity_check')" ok
done_testing
