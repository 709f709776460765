#!/bin/bash
# SPDX-License-Identifier: ISC
#
# A fleet's certificates rotated in waves while a ping runs through every tunnel: phones in software that are held to the
# phones' TLS 1.0, a real OpenVPN, and nobody stranded. Then the same with phones that do not do what they should.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/netns.sh"

why=$(netns_missing) && skip_all "$why"
PHONES=20
export PHONEVPN_DIR=$T/state
socket=$T/server/management/socket
mkdir "$T/pids" "$T/first"

mac() {
	printf '000fd30065%02x' "$1"
}
{
	echo mac,model,extension
	for ((i = 1; i <= PHONES; i++)); do
		echo "$(mac $i),D65,$((100 + i))"
	done
} >"$T/fleet.csv"
phonevpn --quiet init --vpn-host "$NETNS_SERVER" --url "http://$NETNS_SERVER" --ca-bits 2048 || bail_out init
phonevpn --quiet phone import "$T/fleet.csv" || bail_out import
netns_server || bail_out "namespaces"
for ((i = 1; i <= PHONES; i++)); do
	netns_phone "phone$i" || bail_out "namespaces"
done
spawn serve in_netns server phonevpn serve --listen "$NETNS_SERVER:0"
wait_until 10 printed serve 'listening on' || bail_out serve
phonevpn config set url "$(sed -n 's/^listening on //p' "$T/serve.out")"
phonevpn --quiet mint --all || bail_out mint
phonevpn --quiet emit server --out "$T/server" || bail_out server
spawn openvpn in_netns server openvpn --cd "$T/server" --config server.conf
wait_until 20 printed openvpn 'Initialization Sequence Completed' || bail_out openvpn
spawn watch phonevpn watch --management "$socket" --soak 2
wait_until 20 printed watch "$socket: attached" || bail_out watch

# ---- the phones: switched on, and restarted as a PBX would do it ----
# switch_on I
switch_on() {
	phonevpn emit url "$(mac "$1")" >"$T/$1.url"
	spawn "phone$1" in_netns "phone$1" refphone --state "$T/phone$1" --mac "$(mac "$1")" --model D65 --firmware 2_7_0 \
		web --listen 127.0.0.1:0 --config-url-file "$T/$1.url"
	pid_of "phone$1" >"$T/pids/$((100 + $1))"
}
connected() {
	refphone --state "$T/phone$1" status | grep -q 'shield: blue'
}
address() {
	refphone --state "$T/phone$1" --json status | jq -r .vpn_address
}
# has_md5 I: what it runs is what it is offered
has_newest() {
	[ "$(md5sum "$T/phone$1"/bundle-*.ovpn | cut -d' ' -f1)" = "$(phonevpn emit md5 "$(mac "$1")")" ]
}
all() {
	local i
	for ((i = 1; i <= PHONES; i++)); do
		"$@" $i || return 1
	done
}
settled() {
	phonevpn --json rollout status "$1" | jq -e ".all.settled == $2" >/dev/null
}
state_is() {
	[ "$(phonevpn --json rollout status "$1" | jq -r .state)" = "$2" ]
}

for ((i = 1; i <= PHONES; i++)); do
	switch_on $i
done
ok "$PHONES phones connect" wait_until 120 all connected
for ((i = 1; i <= PHONES; i++)); do
	phonevpn emit bundle "$(mac $i)" >"$T/first/$i.ovpn"
	phonevpn --json phone show "$(mac $i)" | jq -r '.generations[0].serial'
done >"$T/first/serials"
everyone_settled_once() {
	[ "$(sqlite3 "$PHONEVPN_DIR/phonevpn.db" "SELECT count(*) FROM ladder WHERE rung = 4 AND number = 1")" = $PHONES ]
}
ok "... and settle with their first certificate" wait_until 60 everyone_settled_once
for ((i = 1; i <= PHONES; i++)); do
	spawn "ping$i" in_netns server ping -D -i 0.2 -W 1 "$(address $i)"
done

# ---- in waves ----
cat >"$T/restart" <<'EOF'
#!/bin/sh
kill -HUP "$(cat "$(dirname "$0")/pids/$PHONEVPN_ENDPOINT")"
EOF
chmod +x "$T/restart"
phonevpn config set notify-command "$T/restart"
ok "a rollout" phonevpn rollout create spring --all --canaries "$(mac 3),$(mac 7)" --waves 6 --soak 3s --deadline 90s
like "... of three waves" "$(cat "$T/out")" '^3 +12 '
ok "... begins" phonevpn rollout start spring
ok "the canaries settle first" wait_until 90 settled spring 2
is "... and nobody else is offered anything until then" "$(sqlite3 "$PHONEVPN_DIR/phonevpn.db" \
	"SELECT count(*) FROM rollout_phones WHERE wave > 1 AND state <> 1")" 0
ok "retire takes theirs alone" phonevpn --json retire --all
is "... which have been superseded and are not used any more" "$(jq -r '.revoked[].mac' "$T/out" | sort | xargs)" "$(mac 3) $(mac 7)"
ok "the rollout ends" wait_until 400 state_is spring "done"
ok "... with every phone settled" settled spring $PHONES
ok "... and on what it is offered" all has_newest
ok "... and connected" all connected
ok "the others' are retired" phonevpn --json retire --all
is "... all of them" "$(jq '.revoked | length' "$T/out")" $((PHONES - 2))
ok "... and nothing waits" jq -e '.waiting == []' "$T/out"
# A serial goes after its phone has settled with the next: by the order of the log, which nobody can change.
too_early=$(sqlite3 "$PHONEVPN_DIR/phonevpn.db" "SELECT count(*) FROM events AS r WHERE r.action = 'certificate.revoke' AND NOT EXISTS
	(SELECT 1 FROM events AS s WHERE s.action = 'phone.settled' AND s.subject = r.subject AND s.detail LIKE 'generation 2,%' AND s.id < r.id)")
is "no certificate was revoked before its phone had settled with the next" "$too_early" 0
ok "the server is told" phonevpn --quiet emit server --out "$T/server"
sleep 2
is "all who are on the VPN stay there" "$(all connected && echo yes)" yes

# gap I: the longest time without an answer, in tenths of a second
gap() {
	sed -n 's/^\[\([0-9.]*\)\] .* bytes from .*/\1/p' "$T/ping$1.out" |
		awk 'NR > 1 && $1 - last > gap { gap = $1 - last } { last = $1 } END { printf "%d\n", gap * 10 }'
}
answers_again() {
	local before
	before=$(grep -c 'bytes from' "$T/ping$1.out")
	wait_until 5 more_than "$1" "$before"
}
more_than() {
	[ "$(grep -c 'bytes from' "$T/ping$1.out")" -gt "$2" ]
}
ok "every tunnel carries data" all answers_again
for ((i = 1; i <= PHONES; i++)); do
	gap $i
done | sort -n >"$T/gaps"
diag "the longest gap of each phone's ping, in tenths of a second: $(xargs <"$T/gaps")"
for ((i = 1; i <= PHONES; i++)); do
	stop "ping$i"
done

# ---- a bundle that was revoked ----
stop phone1
spawn old in_netns phone1 openvpn --config "$T/first/1.ovpn" --connect-retry-max 1
refused() {
	grep -q "VERIFY ERROR: depth=0, error=certificate revoked: .*$(mac 1)" "$T/openvpn.out"
}
ok "a phone's former bundle is refused" wait_until 30 refused
unlike "... and does not connect" "$(cat "$T/old.out")" 'Initialization Sequence Completed'
stop old
switch_on 1
ok "... its new one is not" wait_until 60 connected 1

# ---- one phone in five does not do what it should ----
# 1 fetches and discards the file, 2 is switched off, 3 loses the file after it connected with it, 4 hangs up in the middle.
faulty=$T/faulty
mkdir "$faulty"
cat >"$T/restart" <<'EOF'
#!/bin/sh
cd "$(dirname "$0")" || exit
i=$((PHONEVPN_ENDPOINT - 100))
case $(cat "faulty/$i" 2>&1) in
discards)
	xml=$(curl -s --anyauth -K "$i.xml") &&
	curl -s --anyauth -o "discarded.$i" "$(printf '%s' "$xml" | sed -n 's/.*url="\([^"]*ovpn\)".*/\1/p')"
	;;
off) ;;
*) kill -HUP "$(cat "pids/$PHONEVPN_ENDPOINT")" ;;
esac
EOF
for i in 1 4; do
	echo discards >"$faulty/$i"
	printf 'url = "%s/%s.cfg"\n' "$(sed 's,/*$,,' "$T/$i.url")" "$(mac $i)" >"$T/$i.xml"
done
echo off >"$faulty/2"
stop phone2
for ((i = 1; i <= PHONES; i++)); do
	phonevpn emit bundle "$(mac $i)" >"$T/first/$i.ovpn"
done
ok "another rollout, with new keys" phonevpn rollout create summer --all --rekey --waves 100% --errors 10% --soak 0 --deadline 60s
ok "... begins" phonevpn rollout start summer
settled_3() {
	phonevpn --json rollout status summer --phones | jq -e ".phones[] | select(.mac == \"$(mac 3)\") | .state == \"settled\"" >/dev/null
}
ok "a phone settles" wait_until 60 settled_3
stop phone3
spawn old in_netns phone3 openvpn --config "$T/first/3.ovpn"
ok "... and comes back with its old file, after a factory reset" wait_until 30 printed old 'Initialization Sequence Completed'
ok "the rollout pauses" wait_until 120 state_is summer paused
failed() {
	phonevpn --json rollout status summer | jq -r '[.failed[] | "\(.mac[-2:]) \(.why)"] | sort | join(", ")'
}
all_failed() {
	[ "$(jq '.failed | length' <<<"$(phonevpn --json rollout status summer)")" = 4 ]
}
ok "... and names those who failed" wait_until 60 all_failed
is "... with the reason of each" "$(failed)" "01 not-connected, 02 not-asked, 03 fell-back, 04 not-connected"
is "nothing of theirs may be retired" "$(phonevpn --json retire --all --dry-run | jq -r '.would_revoke[].mac' | grep -c -e "$(mac 1)" -e "$(mac 2)" -e "$(mac 3)" -e "$(mac 4)")" 0
for i in 1 3 4; do
	is "phone $i is not stranded" "$(in_netns "phone$i" ping -q -c 2 -i 0.2 -W 5 10.8.0.1 >"$T/ping.out" && echo yes)" yes
done
stop old
rm "$faulty"/*
switch_on 2
switch_on 3
ok "when they are mended, retry goes on" phonevpn rollout retry summer
ok "... to the end" wait_until 180 state_is summer "done"
ok "... with every phone settled" settled summer $PHONES
ok "... and on what it is offered" all has_newest

# ---- another CA, from end to end ----
for ((i = 1; i <= PHONES; i++)); do
	spawn "ping$i" in_netns server ping -D -i 0.2 -W 1 "$(address $i)"
done
cas() {
	openssl crl2pkcs7 -nocrl -certfile "$1" | openssl pkcs7 -print_certs -noout | sed -n 's/^subject=.*CN = //p' | sort | paste -sd,
}
# The CAs of a phone's bundle, and who has issued its certificate.
bundle_cas() {
	sed -n '/^<ca>$/,/^<.ca>$/p' "$T/phone$1"/bundle-*.ovpn >"$T/bundle.ca"
	cas "$T/bundle.ca"
}
bundle_issuer() {
	sed -n '/^<cert>$/,/^<.cert>$/p' "$T/phone$1"/bundle-*.ovpn | openssl x509 -noout -issuer | sed 's/.*CN = //'
}
each_is() {
	local i
	for ((i = 1; i <= PHONES; i++)); do
		[ "$("$1" $i)" = "$2" ] || return 1
	done
}
restart_server() {
	phonevpn --quiet emit server --out "$T/server" || return 1
	stop openvpn
	spawn openvpn in_netns server openvpn --cd "$T/server" --config server.conf
	wait_until 20 printed openvpn 'Initialization Sequence Completed'
}
stage_is() {
	[ "$(phonevpn --json rollout status autumn | jq -r '"\(.state) \(.stage)"')" = "$1" ]
}
old_ca=$(cas "$T/server/ca.crt")
ok "another CA" phonevpn ca add --name "New CA" --ca-bits 2048
ok "a rollout to it" phonevpn rollout create autumn --all --ca "New CA" --waves 5 --soak 1s --deadline 120s
ok "... begins" phonevpn rollout start autumn
ok "it waits for the server to trust the new CA" wait_until 20 stage_is "running trust"
like "... and says so" "$(phonevpn rollout status autumn)" "waits for the admin to have the OpenVPN server trust the new CA"
is "... and offers nobody anything" "$(sqlite3 "$PHONEVPN_DIR/phonevpn.db" "SELECT count(*) FROM rollout_phones AS m
	JOIN rollouts AS r ON r.id = m.rollout WHERE r.name = 'autumn' AND m.state <> 1")" 0
ok "the server trusts both" restart_server
is "... both" "$(cas "$T/server/ca.crt")" "New CA,$old_ca"
ok "confirmed" phonevpn rollout confirm autumn
ok "the phones take certificates of the new one" wait_until 400 stage_is "running server"
is "... every one" "$(each_is bundle_issuer "New CA" && echo yes)" yes
is "... and trust both" "$(each_is bundle_cas "New CA,$old_ca" && echo yes)" yes
ok "... and are connected" all connected
ok "the server has not moved: conflict" fails_with 4 phonevpn rollout confirm autumn
ok "the server moves" phonevpn --quiet server renew
ok "... and starts" restart_server
is "... with a certificate of the new CA" "$(openssl x509 -in "$T/server/server.crt" -noout -issuer | sed 's/.*CN = //')" "New CA"
ok "all phones come back" wait_until 120 all answers_again
ok "now nobody can go back" fails_with 4 phonevpn rollout rollback autumn
ok "confirmed" phonevpn rollout confirm autumn
ok "the phones forget the old CA" wait_until 400 stage_is "running clean"
is "... every one" "$(each_is bundle_cas "New CA" && echo yes)" yes
ok "the server forgets it" restart_server
is "... and trusts the new one alone" "$(cas "$T/server/ca.crt")" "New CA"
ok "confirmed" phonevpn rollout confirm autumn
ok "... and over" state_is autumn "done"
ok "all phones are there" wait_until 120 all answers_again
is "... through the new CA" "$(phonevpn --json ca list | jq -r '.[] | "\(.name) \(.role)"' | sort | paste -sd,)" "New CA issuing,$old_ca dropped"
for ((i = 1; i <= PHONES; i++)); do
	gap $i
done | sort -n >"$T/gaps"
diag "the longest gap of each phone's ping, in tenths of a second: $(xargs <"$T/gaps")"
spawn old in_netns phone1 openvpn --config "$T/first/1.ovpn" --connect-retry-max 1
ok "a certificate of the old CA is refused" wait_until 90 printed old 'VERIFY ERROR: depth=.*'
unlike "... and does not connect" "$(cat "$T/old.out")" 'Initialization Sequence Completed'
ok "the log is whole" phonevpn events --verify

done_testing
