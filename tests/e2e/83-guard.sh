#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The lock-out guard: a rollout that would strand phones is refused with the phones and the reason, at its creation, at its
# start and before each offer; a phone whose admin accepts that is named in the events.
. "$(dirname "$0")/lib.sh"

export PHONEVPN_DIR=$T/state
desk=000fd3006501
hall=000fd3006001
home=000fd3006201
phonevpn --quiet init --vpn-host 192.0.2.1 --url http://192.0.2.2 --ca-bits 2048 || bail_out init
phonevpn --quiet phone import "$SOURCE/doc/examples/fleet.csv" || bail_out import
for mac in $(phonevpn --json phone list | jq -r '.[].mac'); do
	case $mac in
	"$desk" | "$hall" | "$home") ;;
	*) phonevpn --quiet phone remove "$mac" ;;
	esac
done
phonevpn --quiet mint --all || bail_out mint
is "the fleet" "$(phonevpn --json phone list | jq -r '[.[].mac] | join(" ")')" "$hall $home $desk"

rollouts() {
	phonevpn --json rollout list | jq length
}
# refused REASON OPTION...: not made, exit status 5, each phone named with that reason; in $T/out
refused() {
	local reason=$1 status
	shift
	phonevpn --json rollout create no "$@" >"$T/out" 2>"$T/err"
	status=$?
	[ "$status" -eq 5 ] && [ "$(jq -r '.stranded[].reason' "$T/out" | sort -u)" = "$reason" ] &&
		[ "$(jq -r '.created' "$T/out")" = false ] && grep -q 'would be stranded' "$T/err" && return 0
	echo "status $status, expected 5 and $reason"
	return 1
}
stranded() {
	jq -r '[.stranded[].phones[]] | sort | join(" ")' "$T/kept"
}
text() {
	jq -r '.stranded[0].text' "$T/kept"
}
# keep: what the last test printed, for stranded and text
keep() {
	cp "$T/out" "$T/kept"
}

ok "nothing is wrong: a dry run says nobody is stranded" phonevpn --json rollout create first --all --dry-run
is "... in the document" "$(jq -c '[.stranded, .forced]' "$T/out")" "[[],[]]"
is "... and makes nothing" "$(rollouts)" 0

# ---- what ends ----
ok "a server certificate of one day" sh -c "phonevpn config set server-days 1 && phonevpn server renew"
phonevpn --quiet emit server --out "$T/server" 2>"$T/err"
ends=$(openssl x509 -in "$T/server/server.crt" -noout -enddate | sed 's/.*=//')
ends=$(date -u -d "$ends" +%Y-%m-%dT%H:%M:%SZ)
ok "it ends before the phones can have settled: refused" refused server-certificate-ends --all
keep
is "... all of them" "$(stranded)" "$hall $home $desk"
like "... with its end, as openssl says" "$(text)" "^the server certificate of 192.0.2.1 ends at $ends, and the phone may take until 20"
ok "a dry run says the same" refused server-certificate-ends --all --dry-run
ok "... for people, too" fails_with 5 phonevpn rollout create no --all --dry-run
like "... with what helps" "$(cat "$T/out")" "^would strand 3 phones: the server certificate .*; 'phonevpn server renew'"
like "... and the phones" "$(cat "$T/out")" "^  .*$hall"
is "nothing was made" "$(rollouts)" 0
ok "a rollout that is over before is none of it" phonevpn rollout create quick --all --deadline 2h --soak 1h
ok "... and begins" phonevpn rollout start quick
phonevpn --quiet rollout abort quick
ok "a server certificate that lasts" sh -c "phonevpn config set server-days 3650 && phonevpn server renew"
ok "a CRL of one day" sh -c "phonevpn config set crl-days 1 && phonevpn crl --renew >'$T/crl.pem'"
phonevpn --quiet emit server --out "$T/server" 2>"$T/err"
ends=$(openssl crl -in "$T/server/crl.pem" -noout -nextupdate | sed 's/.*=//')
ends=$(date -u -d "$ends" +%Y-%m-%dT%H:%M:%SZ)
ok "it ends before the phones can have settled: refused" refused crl-ends --all
keep
like "... with its end, as openssl says" "$(text)" "^the CRL of the CA .* ends at $ends, and"
ok "waves that are over before are let go" refused crl-ends --all --waves 1 --deadline 20h --soak 1m
keep
is "... those behind are not" "$(jq -r '[.stranded[].phones[]] | length' "$T/kept")" 2
ok "a server with a folder of serials has no CRL that ends" sh -c "phonevpn config set vpn-crl dir && phonevpn rollout create no --all --dry-run"
phonevpn config set vpn-crl file
ok "a CRL that lasts" sh -c "phonevpn config set crl-days 3650 && phonevpn crl --renew >'$T/crl.pem'"
# ---- a CA that ends, in a copy of the state: it does not come back ----
cp -r "$T/state" "$T/short"
PHONEVPN_DIR=$T/short
ok "a CA of ten days that is to issue" sh -c "phonevpn ca add --name 'Short CA' --days 10 --ca-bits 2048 >'$T/log' 2>&1"
next=$(phonevpn --json ca list | jq -r '.[] | select(.role == "next") | .name')
is "... is there" "$next" "Short CA"
ok "a rollout to it that takes longer: refused" refused ca-ends --all --ca "$next" --deadline 11d
keep
like "... with its name" "$(text)" '^the CA "Short CA" ends at 20'
ok "a rollout to it that is over before" phonevpn rollout create no --all --ca "$next" --dry-run --deadline 1d
phonevpn --quiet emit server --out "$T/server" >"$T/log" 2>&1
ok "... issues" phonevpn ca promote "$next"
ok "it ends before the last phones can have settled: refused" refused ca-ends --all --deadline 11d
keep
like "... with its name" "$(text)" '^the CA "Short CA" ends at 20'
ok "a rollout that is over before is none of it" phonevpn rollout create no --all --dry-run --deadline 1d
PHONEVPN_DIR=$T/state

# ---- what the server takes ----
phonevpn --quiet emit server --out "$T/hand" >"$T/log" 2>&1
sed 's/^port .*/port 1199/; s/^lport .*/lport 1199/' "$T/hand/server.conf" >"$T/hand/other.conf"
ok "the server that runs is at another port: refused" refused check-fails --all --deadline 1d --server "$T/hand/other.conf"
keep
like "... with the rule" "$(text)" "the OpenVPN server does not take its new bundle.*server-port"
phonevpn --dir "$T/other" --quiet init --vpn-host 192.0.2.1 --url http://192.0.2.2 --ca-bits 2048
phonevpn --dir "$T/other" --quiet phone add $desk --model D65
phonevpn --dir "$T/other" --quiet mint --all
phonevpn --dir "$T/other" --quiet emit server --out "$T/strange" >"$T/log" 2>&1
phonevpn emit bundle $desk | sed -n '/^<cert>$/,/^<.cert>$/p' | openssl x509 >"$T/desk.crt"
ok "one of another CA, as openssl finds" sh -c "! openssl verify -CAfile '$T/strange/ca.crt' '$T/desk.crt' 2>&1"
ok "... takes none of them: refused" refused check-fails --all --deadline 1d --server "$T/strange/server.conf"
keep
like "... with the rule" "$(text)" "server-phone-ca|server-phone-refused|server-cert-chain"
ok "the server that 'emit server' has written takes them" phonevpn rollout create no --all --deadline 1d --dry-run --server "$T/hand/server.conf"
ok "a server.conf that is not there: not found" fails_with 3 phonevpn rollout create no --all --server "$T/none"
is "nothing was made" "$(rollouts)" 1

# ---- the way to the XML ----
ok "the XML is inside the VPN: fine, when the change breaks nothing" sh -c "
	phonevpn config set url http://10.8.0.1 && phonevpn rollout create no --all --deadline 1d --dry-run"
phonevpn config set vpn-auth SHA256
ok "the server will not take the bundles that they have: refused" refused cut-off --all --deadline 1d
keep
like "... with the address and the rule" "$(text)" "^its XML is at 10.8.0.1, inside the VPN, and the OpenVPN server does not take the bundle any more that it has: .*server-auth"
phonevpn config set url http://192.0.2.2
ok "... and not refused where they reach it without" phonevpn rollout create no --all --deadline 1d --dry-run
phonevpn config set vpn-auth SHA1
phonevpn config set vpn-host 192.0.2.99
phonevpn config set url http://10.8.0.1
phonevpn --quiet server renew
ok "they are led to another server: refused" refused cut-off --all --deadline 1d
keep
like "... with its address" "$(text)" "its new bundle leads to another server, 192.0.2.99 port 1194 udp"
phonevpn config set vpn-host 192.0.2.1
phonevpn config set url http://192.0.2.2
phonevpn --quiet server renew

# ---- what the phone last connected with ----
hello='>INFO:OpenVPN Management Interface Version 5\r\n'
# seen MAC BUNDLE: "watch" is told that the phone connects with this bundle
seen() {
	local cert serial digest
	cert=$(sed -n '/^<cert>$/,/^<.cert>$/p' "$2" | openssl x509)
	serial=$(openssl x509 -noout -serial <<<"$cert" | sed 's/.*=//; s/../&:/g; s/:$//' | tr A-F a-f)
	digest=$(openssl x509 -noout -fingerprint -sha256 <<<"$cert" | sed 's/.*=//' | tr A-F a-f)
	rm -f "$T/m.sock"
	{
		printf '%b' "$hello"
		printf '>CLIENT:ESTABLISHED,7\r\n'
		printf '>CLIENT:ENV,%s\r\n' "common_name=$1" "time_unix=$(date +%s)" trusted_ip=198.51.100.7 trusted_port=4711 \
			"tls_serial_hex_0=$serial" "tls_digest_sha256_0=$digest" END
	} >"$T/m.txt"
	spawn management sh -c "exec nc -l -U '$T/m.sock' <'$T/m.txt'"
	wait_until 10 test -S "$T/m.sock"
	spawn watch phonevpn watch --management "$T/m.sock"
	wait_until 10 sh -c "[ \"\$(phonevpn --json phone show $1 | jq -r .session.address)\" = 198.51.100.7:4711 ]"
	stop watch
	stop management
}
phonevpn emit bundle $desk >"$T/desk.1"
ok "a phone connects" seen $desk "$T/desk.1"
phonevpn --quiet mint --renew $desk
serial=$(sed -n '/^<cert>$/,/^<.cert>$/p' "$T/desk.1" | openssl x509 -noout -serial | sed 's/.*=//' | tr A-F a-f)
ok "... and its certificate is revoked" phonevpn revoke --serial "$serial"
ok "a rollout with it is refused" refused revoked --all --deadline 1d
keep
is "... for this phone alone" "$(stranded)" "$desk"
ok "... and made without it" phonevpn rollout create without $hall $home --deadline 1d
phonevpn --quiet rollout start without && phonevpn --quiet rollout abort without

# ---- by force ----
ok "a phone that is none of the rollout's cannot be forced" fails_with 1 phonevpn rollout create forced $hall --force $desk --deadline 1d
ok "forced: it is made" phonevpn --json rollout create forced --all --deadline 1d --force $desk
is "... and tells for whom" "$(jq -r '[.forced[].phones[]] | join(" ")' "$T/out") $(jq -r '.forced[0].reason' "$T/out")" "$desk revoked"
like "... and so do the events, with the reason" "$(phonevpn events $desk)" "rollout.forced +$desk +rollout forced: the certificate that it last connected with is revoked"
is "... once" "$(phonevpn --json events $desk | jq '[.[] | select(.action == "rollout.forced")] | length')" 1
is "... of no other phone" "$(phonevpn --json events $hall | jq '[.[] | select(.action == "rollout.forced")] | length')" 0

# ---- when it starts ----
phonevpn config set server-days 2
phonevpn --quiet server renew
ok "its deadline is before that: it starts" phonevpn rollout start forced
phonevpn --quiet rollout abort forced
ok "a rollout of five days" sh -c "phonevpn config set server-days 3650 && phonevpn --quiet server renew &&
	phonevpn rollout create spring $hall $home --deadline 5d --waves 2"
phonevpn config set server-days 1
phonevpn --quiet server renew
ok "the server's certificate ends meanwhile: it does not start" fails_with 5 phonevpn rollout start spring
like "... and says why" "$(cat "$T/err")" "2 of its phones would be stranded, the first of them .*: the server certificate of 192.0.2.1 ends"
is "... it is a draft still" "$(phonevpn --json rollout status spring | jq -r .state)" draft
ok "forced for one alone: not either" fails_with 5 phonevpn rollout start spring --force $hall
is "... and no event of it" "$(phonevpn --json events $hall | jq '[.[] | select(.action == "rollout.forced")] | length')" 0
phonevpn config set server-days 3650
phonevpn --quiet server renew
ok "with one that lasts it starts" phonevpn rollout start spring --force $hall
like "... and who was forced is an event" "$(phonevpn events $hall)" "rollout.forced +$hall +rollout spring: the lock-out guard has nothing against it"

# ---- right before the offer ----
phonevpn config set server-days 1
phonevpn --quiet server renew
before=$(phonevpn emit md5 $home)
ok "its certificate ends before the phones' deadline: a step" phonevpn --json rollout step
is "... fails the phone that is not forced" "$(phonevpn --json rollout status spring --phones | jq -r --arg m $home '.phones[] | select(.mac == $m) | .state + " " + .why')" "failed held-back"
is "... which keeps what it was offered" "$(phonevpn emit md5 $home)" "$before"
is "... and offers the forced one its own" "$(phonevpn --json rollout status spring --phones | jq -r --arg m $hall '.phones[] | select(.mac == $m) | .state')" offered
like "... with the reason in the events" "$(phonevpn events $home)" "rollout.failed +$home +rollout spring: the server certificate of 192.0.2.1 ends at"
like "phone explain has it" "$(phonevpn phone explain $home)" "^likely +the server certificate of 192.0.2.1 ends at"
ok "another try comes to the same" sh -c "phonevpn rollout retry spring $home && phonevpn rollout step"
is "... as long as nothing was mended" "$(phonevpn --json rollout status spring | jq -r '.failed[].why')" held-back
ok "force without a name: usage" fails_with 2 phonevpn rollout retry spring --force
ok "by force" sh -c "phonevpn rollout retry spring $home --force && phonevpn rollout step"
is "... it is offered" "$(phonevpn --json rollout status spring --phones | jq -r --arg m $home '.phones[] | select(.mac == $m) | .state + " " + (.forced | tostring)')" "offered true"
like "... which is an event" "$(phonevpn events $home)" "rollout.forced +$home +rollout spring: another try, whatever the lock-out guard says"
done_testing
