#!/bin/bash
# SPDX-License-Identifier: ISC
#
# A fleet from a CSV file, all of it or nothing; and what the commands say to input that is wrong.
. "$(dirname "$0")/lib.sh"

export PHONEVPN_DIR=$T/state
fleet=$SOURCE/doc/examples/fleet.csv


# refused STATUS ERE COMMAND...: with that status, one line, and nothing has changed.
refused() {
	local status=$1 text=$2 before
	shift 2
	before=$(phonevpn events --limit 0 --json | md5sum)
	ok "refused with $status: ${*:2}" fails_with "$status" "$@"
	ok "... and says: $text" said_in "$text"
	is "... and nothing has changed" "$(phonevpn events --limit 0 --json | md5sum)" "$before"
}

# What fails_with let through to $T/err is in $T/err already when "ok" ran it; keep it from being overwritten.
said_in() {
	[ "$(grep -c . "$T/said")" -eq 1 ] && grep -qE -e "$1" "$T/said"
}
fails_with() {
	local expected=$1 status
	shift
	"$@" 2>"$T/said"
	status=$?
	cat "$T/said" >&2
	[ "$status" -eq "$expected" ] || {
		echo "expected status $expected, found $status"
		return 1
	}
}

ok "no state folder: 3, and what to do" fails_with 3 phonevpn phone list
like "... it names the next step" "$(cat "$T/said")" "phonevpn init"
ok "init without its options: usage" fails_with 2 phonevpn init
ok "init with a wrong network: usage" fails_with 2 phonevpn init --vpn-host vpn.example.com --url http://h --vpn-network 10.8.0.1/16
ok "init with a wrong CA size: usage" fails_with 2 phonevpn init --vpn-host vpn.example.com --url http://h --ca-bits 1024
ok "a failed init leaves nothing" test ! -e "$PHONEVPN_DIR"
ok "init" phonevpn init --vpn-host vpn.example.com --url http://pbx.example.com:8080 --ca-bits 2048
ok "a second init: conflict" fails_with 4 phonevpn init --vpn-host vpn.example.com --url http://pbx.example.com:8080
like "... it names the folder" "$(cat "$T/said")" "$PHONEVPN_DIR.*nothing was changed"
is "the state is its owner's alone" "$(stat -c %a "$PHONEVPN_DIR" "$PHONEVPN_DIR/master.key" "$PHONEVPN_DIR/phonevpn.db" | tr '\n' ' ')" "700 600 600 "

# ---- import ----
ok "a dry run imports nothing" phonevpn phone import --dry-run "$fleet"
is "... really" "$(phonevpn --json phone list | jq length)" 0
ok "the example fleet is imported" phonevpn phone import "$fleet"
cp "$T/out" "$T/imported"
is "all eight phones" "$(phonevpn --json phone list | jq length)" 8
is "four are turned down" "$(phonevpn --json phone list | jq -r '.[] | select(.vpn == "turned down") | .model' | tr '\n' ' ')" "D40 D45 D50 D70 "
is "... each with its reason" "$(grep -c 'turned down for the VPN: .*OpenVPN' "$T/imported")" 4
is "a quoted comma is part of the label" "$(phonevpn --json phone show 000fd3004501 | jq -r .label)" "Workshop, left door"
unlike "no secret shows in the listing" "$(phonevpn --json phone list; phonevpn phone list; phonevpn phone show 000fd3004501)" "Aix4ahvahph"

printf 'mac,model,firmware\n000fd3000001,D60,2_7_0\nzz,D60,2_7_0\n000fd3000002,D61,2_7_0\n000fd3000003,D60,x\n000fd3000001,D62,2_7_0\n000fd3006501,D65,\n' >"$T/bad.csv"
ok "a CSV with bad rows" fails_with 1 phonevpn phone import "$T/bad.csv"
for line in '3: MAC' '4: model' '5: firmware' '6: mac: 000fd3000001 stands in line 2' '7: mac: 000fd3006501 is in the fleet'; do
	like "... names line ${line%%:*}" "$(cat "$T/said")" "^$T/bad.csv:$line"
done
like "... and says that nothing was imported" "$(cat "$T/said")" "nothing was imported"
is "... which is so" "$(phonevpn --json phone list | jq length)" 8
is "the same as JSON" "$(phonevpn --json phone import "$T/bad.csv" 2>"$T/said" | jq -c '[.imported, [.problems[].line]]')" '[0,[3,4,5,6,7]]'
is "... with a JSON error" "$(jq -r .error.code <"$T/said")" input

printf '\xef\xbb\xbfMAC,Model,Label\r\n"00:0F:D3:00:00:09",d62,"Kitchen,\r\nleft"\r\n' >"$T/crlf.csv"
ok "BOM, CRLF, quotes and a line break in a cell" phonevpn phone import - <"$T/crlf.csv"
is "... are taken" "$(phonevpn --json phone show 000FD3000009 | jq -r '.model + " " + .label')" "D62 Kitchen, left"

printf 'mac,model,http_user\n000fd3555501,D65,bob\n000fd3555502,D65,bob\n000fd3555503,D65,000fd3006501\n' >"$T/users.csv"
ok "HTTP users that two phones would share: refused by a dry run" fails_with 1 phonevpn phone import --dry-run "$T/users.csv"
like "... within the file" "$(cat "$T/said")" "$T/users.csv:3: http_user: bob stands in line 2 already"
like "... and in the fleet" "$(cat "$T/said")" "$T/users.csv:4: http_user: 000fd3006501 is in the fleet already"

# ---- one phone ----
ok "a phone is added" phonevpn phone add 00-0f-d3-00-00-10 --model D65 --firmware 2.7.0 --extension 300
is "firmware in the vendor's form" "$(phonevpn --json phone show 000fd3000010 | jq -r .firmware)" 2_7_0
refused 4 '000fd3000010' phonevpn phone add 000fd3000010 --model D65
refused 2 'model: expected one of D40.*found "D66"' phonevpn phone add 000fd3000011 --model D66
refused 2 'expected --model' phonevpn phone add 000fd3000011
refused 2 'firmware.*found "2"' phonevpn phone add 000fd3000011 --model D65 --firmware 2
refused 2 'MAC' phonevpn phone add 000fd300001 --model D65
refused 2 'MAC' phonevpn phone add ffffffffffff --model D65
refused 3 '000fd3000099' phonevpn phone show 000fd3000099
refused 3 '000fd3000099' phonevpn phone remove 000fd3000099
refused 3 'no such setting' phonevpn config get vpn-hosts
refused 2 'expected an option' phonevpn phone set 000fd3000010
refused 2 '--dir: expected DIR behind it, found an empty name' phonevpn --dir "" phone list
refused 2 '--out: expected FILE behind it, found an empty name' phonevpn crl --out=
refused 2 'expected one of add, import, list, show, explain, set, remove, reset behind it, found nothing' phonevpn --json phone
refused 2 'vpn-cipher' phonevpn config set vpn-cipher AES-256-GCM
refused 2 'no such command' phonevpn mind --all
refused 2 'no such option' phonevpn mint --every
refused 2 '^phonevpn: --secret: no such option' phonevpn phone set 000fd3000010 --secret=hunter2
refused 2 'MACs, --all or --group' phonevpn mint
refused 3 'group nobody' phonevpn mint --group nobody
refused 1 '000fd3004001 .D40.*turned down' phonevpn mint 000fd3004001
ok "another vendor's MAC is a warning and no error" phonevpn phone add 001122334455 --model D65
like "... which says so" "$(cat "$T/err")" "warning: 001122334455: expected an address of Digium"
ok "firmware in the deprecated window is turned down" phonevpn phone add 000fd3000012 --model D65 --firmware 2_6_6
like "... with what to do" "$(cat "$T/out")" "turned down for the VPN: .*2_7_0"
printf 's3cret word\n' >"$T/secret"
ok "a secret comes from a file" phonevpn phone set 000fd3000010 --secret-file "$T/secret"
is "... and is known to be there" "$(phonevpn --json phone show 000fd3000010 | jq .has_secret)" true
like "... and hidden" "$(phonevpn phone show 000fd3000010)" 'secret.*\(hidden\)'
ok "... in the database too" fails_with 1 grep -rqa "s3cret word" "$PHONEVPN_DIR"
ok "a phone is removed" phonevpn phone remove 001122334455
ok "... and gone" fails_with 3 phonevpn phone show 001122334455

# ---- help ----
while read -r command; do
	# shellcheck disable=SC2086 # one or two words
	ok "phonevpn $command --help" phonevpn $command --help
done < <(phonevpn --help | awk '/^commands:/ { on = 1; next } /^$/ { on = 0 } on { print substr($0, 3, 18) }')
while read -r group; do
	ok "phonevpn $group --help" phonevpn "$group" --help
	is "... names all of its commands" "$(sed -n "s/^  \($group [a-z]*\) .*/\1/p" "$T/out")" \
		"$(phonevpn --help | sed -n "s/^  \($group [a-z]*\) .*/\1/p")"
	help=$(cat "$T/out")
	is "... as help does" "$(phonevpn help "$group")" "$help"
	ok "phonevpn $group alone: usage" fails_with 2 phonevpn "$group"
	is "... with the same on standard error" "$(cat "$T/out")$(head -n -1 "$T/err")" "$help"
	ok "... and the error alone as JSON" fails_with 2 phonevpn "$group" --json
	is "... which is one document" "$(cat "$T/out")$(jq -r .error.code "$T/err")" usage
done < <(phonevpn --help | sed -n 's/^  \([a-z]*\) [a-z].*/\1/p' | uniq)
ok "a second word that is none: usage" fails_with 2 phonevpn check nothing --help
like "... with those that there are" "$(cat "$T/err")" '^phonevpn: check: expected one of ovpn, .*, found nothing;'
ok "no command at all: usage" fails_with 2 phonevpn
ok "help to a full disk: a failure" fails_with 1 sh -c 'phonevpn --help >/dev/full'
ok "the event log's chain is whole" phonevpn events --verify
ok "no file of the state is open to others" test -z "$(find "$PHONEVPN_DIR" -perm /077)"
done_testing
