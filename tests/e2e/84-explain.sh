#!/bin/bash
# SPDX-License-Identifier: ISC
#
# phone explain: for each way in which a phone can hang, on one screen, the next step is the one that helps: the admin's
# commands are run as they are printed, and the phone comes on.
. "$(dirname "$0")/lib.sh"

export PHONEVPN_DIR=$T/state
phonevpn --quiet init --vpn-host 192.0.2.1 --url http://127.0.0.1:1 --ca-bits 2048 || bail_out init
spawn serve phonevpn serve --listen 127.0.0.1:0
wait_until 10 printed serve 'listening on' || bail_out serve
phonevpn config set url "$(sed -n 's/^listening on //p' "$T/serve.out")"

# a fleet of its own for each
number=0
phone() {
	number=$((number + 1))
	mac=$(printf '000fd3%06x' "$number")
	phonevpn --quiet phone add "$mac" --model "${1:-D65}"
	[ "${2-}" = unminted ] || phonevpn --quiet mint "$mac"
}
state() {
	sqlite3 "$T/state/phonevpn.db" "$1"
}
now() {
	phonevpn --json phone explain "$mac" | jq -r "$1"
}
# explains WHAT SITUATION WHO: also, that it is one screen
explains() {
	is "$1: $2, by $3" "$(now '.situation + " " + .next.who')" "$2 $3"
	phonevpn phone explain "$mac" >"$T/screen"
	is "... one screen" "$(awk 'length > 80 { wide++ } END { print (NR <= 24) " " wide + 0 }' "$T/screen")" "1 0"
}
# helps SITUATION WHO: the admin does what is printed
helps() {
	local command
	command=$(now .next.command)
	like "... on the screen, too" "$(cat "$T/screen")" "^ +$command"
	ok "... run: $command" sh -c "$command"
	is "... then: $1, by $2" "$(now '.situation + " " + .next.who')" "$1 $2"
}
fetch() {
	curl -s -f -o "$T/body" --digest "$@"
}
reads() {
	fetch "$(phonevpn emit url "$mac")$mac.cfg" && wait_until 10 sh -c "[ \"\$(phonevpn --json phone explain $mac | jq .asked_for)\" = $(phonevpn --json phone show "$mac" | jq .generation) ]"
}
fetches() {
	reads && fetch "$(xmllint --xpath "string(/config/setting[@id='openvpn_inline_config']/@url)" <(phonevpn emit xml "$mac"))" &&
		wait_until 10 sh -c "[ \"\$(phonevpn --json phone explain $mac | jq .fetched)\" = $(phonevpn --json phone show "$mac" | jq .generation) ]"
}
# seen [BUNDLE]: "watch" is told that the phone connects with it, or with what it is offered
clock=$(date +%s)
seen() {
	local cert serial digest
	[ $# -gt 0 ] || phonevpn emit bundle "$mac" >"$T/seen"
	cert=$(sed -n '/^<cert>$/,/^<.cert>$/p' "${1:-$T/seen}" | openssl x509)
	serial=$(openssl x509 -noout -serial <<<"$cert" | sed 's/.*=//; s/../&:/g; s/:$//' | tr A-F a-f)
	digest=$(openssl x509 -noout -fingerprint -sha256 <<<"$cert" | sed 's/.*=//' | tr A-F a-f)
	clock=$(($(date +%s) > clock ? $(date +%s) : clock + 1))
	rm -f "$T/m.sock"
	{
		printf '>INFO:OpenVPN Management Interface Version 5\r\n>CLIENT:ESTABLISHED,7\r\n'
		printf '>CLIENT:ENV,%s\r\n' "common_name=$mac" "time_unix=$clock" trusted_ip=198.51.100.7 trusted_port=$clock \
			"tls_serial_hex_0=$serial" "tls_digest_sha256_0=$digest" END
	} | sed 's/trusted_port=.*\r/trusted_port='$((clock % 60000 + 1))'\r/' >"$T/m.txt"
	spawn management sh -c "exec nc -l -U '$T/m.sock' <'$T/m.txt'"
	wait_until 10 test -S "$T/m.sock"
	spawn watch phonevpn watch --management "$T/m.sock"
	wait_until 10 sh -c "[ \"\$(phonevpn --json phone show $mac | jq -r .session.address)\" = 198.51.100.7:$((clock % 60000 + 1)) ]"
	stop watch
	stop management
}
# so much later: all that was seen of it is as old
later() {
	state "UPDATE ladder SET at = at - $1 WHERE phone = (SELECT id FROM phones WHERE mac = '$mac');
		UPDATE vpn_sessions SET since = since - $1 WHERE phone = (SELECT id FROM phones WHERE mac = '$mac')"
}

ok "a phone that there is not: not found" fails_with 3 phonevpn phone explain 000fd3ffffff
ok "no phone: usage" fails_with 2 phonevpn phone explain

# ---- before anything is offered ----
phone D65 unminted
explains "a phone that was only added" never-minted admin
helps not-asked user
phone D40 unminted
explains "a model without OpenVPN" turned-down admin
like "... with the reason" "$(now .next.likely_reason)" "D40, which has no OpenVPN"
command=$(now .next.command)
ok "... which is forgotten" sh -c "$command"
phone D65 unminted
phonevpn phone set "$mac" --firmware 2_5_0
explains "a firmware that cannot" turned-down admin
ok "... is upgraded" sh -c "$(now .next.command | sed 's/VERSION/2_9_27/')"
is "... then it can be minted" "$(now .situation)" never-minted

# ---- on its way ----
phone
explains "offered, and not asked for" not-asked user
ok "it reads its XML" reads
explains "asked for, just now" not-fetched nobody
like "... until in five minutes" "$(now .next.until)" "^20.*Z$"
later 3600
explains "asked for an hour ago, and not fetched" not-fetched user
ok "it fetches" fetches
later 60
explains "fetched a minute ago" not-connected nobody
later 3600
explains "fetched an hour ago, and no phone was ever seen" not-connected admin
like "... nobody watches" "$(now .next.command)" "^phonevpn watch --management"
hang=$mac
phone
fetches
ok "another one is seen" seen
explains "connected, not settled" not-settled nobody
later 3600
state "UPDATE vpn_sessions SET ended = $(date +%s)"
explains "and gone again" not-settled user
settled=$mac
mac=$hang
explains "fetched an hour ago, where somebody watches" not-connected admin
ok "... the command runs and finds nothing" sh -c "$(now .next.command)"
mac=$settled
state "INSERT INTO ladder SELECT id, 1, 4, $(date +%s), 'test' FROM phones WHERE mac = '$mac'"
explains "settled" settled nobody
renew=$(date -u -d "$(now '.certificates[0].not_after') - $(phonevpn config get renew-days) days" +%Y-%m-%dT%H:%M:%SZ)
is "... until it is renewed" "$(now .next.until)" "$renew"
like "... and off the VPN at present" "$(cat "$T/screen")" "^likely +it is off the VPN at present"

# ---- settled with the next one ----
phonevpn emit bundle "$mac" >"$T/first"
phonevpn --quiet mint --renew "$mac"
explains "the next one is offered" not-asked user
ok "it fetches it" fetches
ok "... and connects with it" seen
state "INSERT INTO ladder SELECT id, 2, 4, $(date +%s), 'test' FROM phones WHERE mac = '$mac'"
explains "its former certificate is valid still" settled-old-valid admin

# ---- on the VPN with something else ----
ok "it comes back with its first one" seen "$T/first"
explains "it has lost the new one" fell-back admin
like "... with both" "$(tr -s '\n ' ' ' <"$T/screen")" "connected with generation 2 and came back with 1"
helps not-asked user
ok "... it fetches that" fetches
ok "... and connects with it" seen
state "INSERT INTO ladder SELECT id, 3, 4, $(date +%s), 'test' FROM phones WHERE mac = '$mac'"
explains "its former certificates are valid still" settled-old-valid admin
helps settled nobody
is "... and only one is left" "$(now '[.certificates[] | select(.revoked | not) | .generation] | join(" ")')" 3
phone
phonevpn --dir "$T/other" --quiet init --vpn-host 192.0.2.1 --url http://127.0.0.1:1 --ca-bits 2048
phonevpn --dir "$T/other" --quiet phone add "$mac" --model D65
phonevpn --dir "$T/other" --quiet mint --all
phonevpn --dir "$T/other" emit bundle "$mac" >"$T/strange"
ok "a phone comes with another state's bundle" seen "$T/strange"
explains "a certificate that is on no bundle of its" unknown-certificate admin
command=$(now .next.command)
ok "... run: $command" sh -c "$command"
is "... another one is offered" "$(now .offered)" 2

# ---- what has ended ----
phone
ok "a phone is revoked" phonevpn revoke "$mac"
explains "its certificate is revoked" revoked admin
helps not-asked user
phone
state "UPDATE certificates SET not_before = 1, not_after = $(date +%s) - 60 WHERE serial = (SELECT serial FROM generations WHERE phone = (SELECT id FROM phones WHERE mac = '$mac'))"
explains "its certificate has ended" certificate-ended admin
helps not-asked user
state "UPDATE authorities SET crl_this_update = 1, crl_next_update = $(date +%s) - 60"
explains "the CRL has ended" server-ended admin
is "... the command" "$(now .next.command)" "phonevpn crl"
ok "... renews it" sh -c "$(now .next.command)"
is "... and it is not that any more" "$(now .situation)" not-asked

# ---- in a rollout ----
stop serve
phone
ok "a rollout" phonevpn rollout create spring "$mac" --per-minute 10
explains "it waits for a rollout that is a draft" rollout-waiting admin
helps rollout-waiting nobody
ok "paused" phonevpn rollout pause spring
explains "it waits for one that is paused" rollout-waiting admin
like "... by whom" "$(cat "$T/screen")" "^likely +by the admin"
helps rollout-waiting nobody
phonevpn --quiet rollout step >"$T/log" 2>&1
explains "its turn has come" not-asked user
state "UPDATE rollout_phones SET since = since - 600000"
phonevpn --quiet rollout step >"$T/log" 2>&1
explains "past its deadline" rollout-failed user
ok "... it is given another try" sh -c "$(now .next.command)"
ok "... with a step" sh -c "phonevpn rollout status spring && phonevpn --quiet rollout step 2>'$T/log'"
is "... and is offered it again" "$(now .situation)" not-asked
ok "rolled back" phonevpn rollout rollback spring
explains "it is offered what it had before" rolled-back user
ok "... it comes back with that" seen
explains "it is on the VPN with it" rolled-back admin
helps not-asked user

phone
phonevpn config set server-days 1
ok "one that the guard holds back" sh -c "phonevpn rollout create held $mac && phonevpn rollout start held && phonevpn --quiet server renew && phonevpn --quiet rollout step 2>'$T/log'"
explains "held back" rollout-failed admin
like "... by what" "$(cat "$T/screen")" "^likely +the server certificate of 192.0.2.1 ends at"
phonevpn config set server-days 3650
phonevpn --quiet server renew
ok "... which is mended: run" sh -c "$(now .next.command)"
is "... it waits for its turn" "$(now .situation)" rollout-waiting
phonevpn --quiet rollout abort held
explains "the rollout ended before it was offered" minted admin
helps not-asked user

# ---- to another CA, in a state of its own ----
cp -r "$T/state" "$T/next"
PHONEVPN_DIR=$T/next
ok "another CA" sh -c "phonevpn ca add --name 'Next CA' --ca-bits 2048 >'$T/log' 2>&1"
ok "... that all move to" sh -c "phonevpn rollout create move --all --ca 'Next CA' >'$T/log' 2>&1 && phonevpn rollout start move"
explains "the server has to trust it first" rollout-waiting admin
is "... which the admin confirms" "$(now .next.command)" "phonevpn rollout confirm move"
ok "... run" sh -c "$(now .next.command)"
is "... then it waits for its wave" "$(now '.situation + " " + .next.who')" "rollout-waiting nobody"
PHONEVPN_DIR=$T/state

spawn serve phonevpn serve --listen 127.0.0.1:0
wait_until 10 printed serve 'listening on'
phonevpn config set url "$(sed -n 's/^listening on //p' "$T/serve.out")"
phone
phonevpn emit bundle "$mac" >"$T/first"
ok "one that falls back in a rollout" sh -c "phonevpn rollout create fall $mac && phonevpn rollout start fall"
ok "... is offered its own by serve" wait_until 20 sh -c "[ \"\$(phonevpn --json phone explain $mac | jq .offered)\" = 2 ]"
ok "... connects" seen
ok "... and comes back with the old one" seen "$T/first"
ok "... is named" wait_until 20 sh -c "[ \"\$(phonevpn --json phone explain $mac | jq -r .situation)\" = rollout-failed ]"
explains "it has lost the new one" rollout-failed admin
is "... the command makes another" "$(now .next.command)" "phonevpn rollout retry fall $mac --new"
ok "... which runs" sh -c "$(now .next.command)"
ok "... and is offered" wait_until 20 sh -c "[ \"\$(phonevpn --json phone explain $mac | jq .offered)\" = 3 ]"
ok "serve lives" lives serve
done_testing
