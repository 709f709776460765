#!/bin/bash
# SPDX-License-Identifier: ISC
#
# watch: a phone counts as connected with a certificate only when a real OpenVPN server has seen it with that one, and what
# nobody saw is not made up.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/netns.sh"

export PHONEVPN_DIR=$T/state
dir=$T/server
socket=$dir/management/socket
desk=000fd3006501
hall=000fd3006001
phonevpn --quiet init --vpn-host "$NETNS_SERVER" --url "http://$NETNS_SERVER" --ca-bits 2048 || bail_out init
phonevpn --quiet phone add $desk --model D65
phonevpn --quiet phone add $hall --model D60
phonevpn --quiet mint --all || bail_out mint
phonevpn --quiet emit server --out "$dir"

ok "no socket: usage" fails_with 2 phonevpn watch
like "... which says so" "$(cat "$T/err")" "expected --management SOCKET, found none"
ok "one twice: usage" fails_with 2 phonevpn watch --management /run/a,/run/b,/run/a
ok "a nameless one: usage" fails_with 2 phonevpn watch --management /run/a,
ok "one whose name is too long: usage" fails_with 2 phonevpn watch --management "$(printf '/%0107d' 0)"
ok "no state: not found" fails_with 3 phonevpn --dir "$T/none" watch --management "$socket"

proof() {
	phonevpn --json phone show "$1" | jq -r '[.proof[] | "\(.generation) \(.rung)"] | join(", ")'
}
session() {
	phonevpn --json phone show "$1" | jq -c ".session | $2"
}
proof_is() {
	[ "$(proof "$1")" = "$2" ]
}
# watches [OPTION...]
watches() {
	spawn watch phonevpn watch --management "$socket" "$@"
}
attached() {
	wait_until 20 printed watch "^phonevpn: $socket: attached"
}

# ---- servers that nobody may listen to; each ends by itself, so that no phone waits for it ----
# plays NAME TEXT: a management interface that says this
plays() {
	rm -f "$T/$1.sock"
	printf '%b' "$2" >"$T/$1.txt"
	spawn "$1" sh -c "exec nc -l -U '$T/$1.sock' <'$T/$1.txt'"
	wait_until 10 test -S "$T/$1.sock"
}
hello='>INFO:OpenVPN Management Interface Version 5\r\n'
plays password 'ENTER PASSWORD:'
ok "a server that asks for a password: conflict" fails_with 4 phonevpn watch --management "$T/password.sock"
like "... with the reason" "$(cat "$T/err")" "password.sock: it asks for a password"
plays admission "$hello>CLIENT:CONNECT,0,1\r\n>CLIENT:ENV,END\r\n"
ok "one whose listener has to admit phones: conflict" fails_with 4 phonevpn watch --management "$T/admission.sock"
like "... with the reason" "$(cat "$T/err")" "management-client-auth"
plays hold "$hello>HOLD:Waiting for hold release:0\r\n"
ok "one that waits for leave to begin: conflict" fails_with 4 phonevpn watch --management "$T/hold.sock"
like "... with the reason" "$(cat "$T/err")" "management-hold"
for name in password admission hold; do
	stop $name
done

# ---- real servers ----
if why=$(netns_missing); then
	diag "no tunnels here: $why"
	done_testing
	exit
fi
{ netns_server && netns_phone desk && netns_phone hall; } || bail_out "namespaces"
serves() {
	spawn openvpn in_netns server sh -c "cd / && exec openvpn --config '$dir/server.conf'"
	wait_until 20 printed openvpn 'Initialization Sequence Completed'
}
# connects PHONE BUNDLE
connects() {
	[ -z "${spawned[$1]-}" ] || stop "$1"
	spawn "$1" in_netns "$1" openvpn --config "$2" --dev tun0
	wait_until 30 printed "$1" 'Initialization Sequence Completed'
}

watches --soak 3
ok "a server that is not there yet is waited for" wait_until 10 printed watch "$socket: No such file or directory; tried again"
serves
ok "... and listened to when it is" attached
is "nobody was seen yet" "$(proof $desk) $(session $desk .)" " null"
phonevpn emit bundle $desk >"$T/desk.1"
phonevpn emit bundle $hall >"$T/hall.1"
ok "a phone connects" connects desk "$T/desk.1"
ok "... and is seen with its certificate" wait_until 10 proof_is $desk "1 connected"
is "... that of its bundle" "$(session $desk .serial | tr -d '"')" \
	"$(sed -n '/^<cert>$/,/^<.cert>$/p' "$T/desk.1" | openssl x509 -noout -serial | sed 's/.*=//' | tr A-F a-f)"
is "... from where it is" "$(session $desk '.address | split(":")[0]')" "\"$(netns_address desk | cut -d/ -f1)\""
is "... and no other phone" "$(proof $hall)" ""
ok "a session that lasts settles it" wait_until 20 proof_is $desk "1 connected, 1 settled"
like "... as an event with its source" "$(phonevpn events)" "phone.settled +$desk +generation 1, connected for [0-9]+ s at $socket"

ok "another certificate" phonevpn --quiet mint --renew $desk
phonevpn emit bundle $desk >"$T/desk.2"
is "... that it is offered proves nothing" "$(proof $desk)" "1 connected, 1 settled"
ok "the phone connects with it" connects desk "$T/desk.2"
ok "... which is seen" wait_until 10 proof_is $desk "1 connected, 1 settled, 2 connected"
ok "with its old bundle again" connects desk "$T/desk.1"
ok "... it is named" wait_until 10 printed watch "warning: phone $desk: fell back to generation 1 after it was connected with 2"
like "... as an event, too" "$(phonevpn events)" "phone.fell-back +$desk +to generation 1 from 2"
is "... and the newer one has not settled" "$(proof $desk)" "1 connected, 1 settled, 2 connected"

# The same CA by hand, as a former tool would have it: the phone's name on a certificate that is not in the state.
other=$T/other
phonevpn --dir "$other" --quiet init --vpn-host "$NETNS_SERVER" --url "http://$NETNS_SERVER" --ca-bits 2048
phonevpn --dir "$other" --quiet phone add $hall --model D60
phonevpn --dir "$other" --quiet mint --all
phonevpn --dir "$other" emit server --out "$T/other.server" >/dev/null 2>&1
cp "$dir/ca.crt" "$T/ca.crt"
cat "$T/other.server/ca.crt" >>"$dir/ca.crt"
stop openvpn
ok "the server's socket is lost" wait_until 10 printed watch "$socket: .*; tried again"
serves
ok "... and found again" wait_until 20 sh -c "[ \"\$(grep -c '$socket: attached' '$T/watch.err')\" = 2 ]"
{
	sed '/^<ca>$/,$d' "$T/hall.1"
	echo "<ca>"
	cat "$T/ca.crt"
	echo "</ca>"
	phonevpn --dir "$other" emit bundle $hall | sed -n '/^<cert>$/,$p'
} >"$T/hall.other"
ok "a phone's name on another CA's certificate" connects hall "$T/hall.other"
ok "... is named" wait_until 10 printed watch "warning: phone $hall: connected from .* with a certificate, serial [0-9a-f]+, that is on no bundle"
is "... and proves nothing" "$(proof $hall) $(session $hall .generation)" " null"

# ---- what happens while nobody listens ----
ok "watch ends when told to" stop watch
ok "the phone connects while nobody listens" connects desk "$T/desk.2"
stop hall
watches --soak 3
ok "watch is back" attached
like "... and says of whom the certificate is not known" "$(cat "$T/watch.err")" "phone $desk: is connected since .*; with which certificate shows when"
is "... which it does not make up" "$(session $desk '[.serial, .generation, .ended]')" "[null,null,null]"
ok "phones' second certificate" phonevpn --quiet mint --renew --all
ok "it is seen with what it has next" sh -c "phonevpn emit bundle $desk >'$T/desk.3'"
ok "... when it connects" connects desk "$T/desk.3"
ok "... with that one" wait_until 10 proof_is $desk "1 connected, 1 settled, 2 connected, 3 connected"
ok "killed" fails_with 137 stop watch KILL
stop desk
stop openvpn
watches --soak 3
serves
ok "... and back, after the server has lost all its clients" attached
is "... the session has ended" "$(session $desk '.ended != null')" true
is "... and does not settle any more" "$(proof $desk)" "1 connected, 1 settled, 2 connected, 3 connected"
ok "the log is whole" phonevpn events --verify
is "... and the state sound" "$(sqlite3 "$T/state/phonevpn.db" 'PRAGMA integrity_check')" ok

# ---- what may be revoked ----
retires() {
	phonevpn --json retire "$@" >"$T/retire.json"
}
waits_for() {
	jq -r --arg mac "$1" '.waiting[] | select(.mac == $mac) | "\(.successor) \(.waits_for)"' "$T/retire.json" | sort -u
}
serials() {
	phonevpn --json phone show "$1" | jq -r ".generations[] | select($2) | .serial" | xargs
}
ok "whom to retire: usage" fails_with 2 phonevpn retire
ok "... in one way" fails_with 2 phonevpn retire --all $desk
ok "no such group: not found" fails_with 3 phonevpn retire --group nobody
ok "a phone whose last session ended before it settled" retires --all
is "... keeps its certificates" "$(jq -c '[(.revoked | length), (.waiting | length)]' "$T/retire.json")" "[0,3]"
is "... with what they wait for" "$(waits_for $desk)" "3 to stay connected with its successor for long enough"
is "... and what another one has to do" "$(waits_for $hall)" "2 to fetch its successor"
ok "the phone connects" connects desk "$T/desk.3"
ok "... and stays" wait_until 30 proof_is $desk "1 connected, 1 settled, 2 connected, 3 connected, 3 settled"
old=$(serials $desk '.number < 3')
ok "a dry run" phonevpn --json retire --dry-run $desk
is "... says what would go" "$(jq -r '[.would_revoke[].serial] | join(" ")' "$T/out")" "$old"
is "... and lets it be" "$(serials $desk .revoked)" ""
ok "with its old bundle" connects desk "$T/desk.2"
ok "... that is seen" wait_until 10 printed watch "phone $desk: fell back to generation 2"
retires $desk
is "... it keeps it" "$(waits_for $desk)" "3 to come back to its successor: it was last seen with another certificate"
ok "with the new one again" connects desk "$T/desk.3"
ok "... that is seen" wait_until 10 sh -c "phonevpn --json phone show $desk | jq -e '.session.generation == 3'"
ok "retired" phonevpn retire --all
is "... is what was superseded" "$(serials $desk .revoked)" "$old"
like "... said with what comes next" "$(cat "$T/out")" "^2 certificates revoked, 1 waits$"
is "... for that reason" "$(phonevpn events | grep -c 'certificate.revoke .*reason 4 ')" 2
is "... not that of a phone that has not moved" "$(serials $hall .revoked)" ""
ok "the server is told" phonevpn --quiet emit server --out "$dir"
cat "$T/other.server/ca.crt" >>"$dir/ca.crt"
ok "the phone is still there" wait_until 5 sh -c "phonevpn --json phone show $desk | jq -e '.session.ended == null'"
stop desk
spawn desk in_netns desk openvpn --config "$T/desk.1" --dev tun0
ok "... and its old certificate is refused" wait_until 20 printed openvpn 'VERIFY ERROR: depth=0, error=certificate revoked'
stop desk
ok "with the new one it comes back" connects desk "$T/desk.3"

# ---- when the state is another's ----
spawn writer phonevpn --quiet keypool fill 500
ok "while another program writes a phone connects" connects desk "$T/desk.3"
ok "... and is on record in the end" wait_until 30 sh -c "phonevpn --json phone show $desk | jq -e '.session.ended == null'"
stop writer
ok "watch ends" stop watch
unlike "nothing else was said" "$(grep -E 'error|ERROR' "$T/watch.err")" .
done_testing
