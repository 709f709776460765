#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The md5 gate of the vendor's page, row by row, against a plain web server that is not ours; and every kind of login
# against ours.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/webservers.sh"

mac=000fd3006501
export PHONEVPN_DIR=$T/state
phonevpn --quiet init --vpn-host vpn.example.com --url http://127.0.0.1:1 --ca-bits 2048 || bail_out init
phonevpn --quiet phone import "$SOURCE/doc/examples/fleet.csv" || bail_out import
phonevpn --quiet mint $mac || bail_out mint
phonevpn emit bundle $mac >"$T/one.ovpn"
phonevpn --quiet mint $mac --renew || bail_out renew
phonevpn emit bundle $mac >"$T/two.ovpn"

# ---- nginx, as it comes ----
ok "nginx is up" web_start web nginx none
base=$(web_url web)

# xml ENABLE BUNDLE-ATTRIBUTES: what the phone will read
xml() {
	printf '<config><setting id="network_default_enable_openvpn" value="%s"/>%s</config>\n' "$1" \
		"${2:+<setting id=\"openvpn_inline_config\" $2/>}" >"$T/web.www/$mac.cfg"
}
md5() {
	md5sum <"$T/$1.ovpn" | cut -d' ' -f1
}
url="url=\"$base/b.ovpn\""
# boot STATUS: the phone boots, without a tunnel, and ends with that status. Its report is in $T/boot.json.
boot() {
	local expected=$1 status
	web_forget web
	refphone --state "$T/phone" --mac $mac --model "${model:-D65}" --firmware "${firmware:-2_9_27}" --json boot \
		--config-url "$base" --no-connect >"$T/boot.json" 2>"$T/boot.err"
	status=$?
	[ "$status" -eq "$expected" ] || {
		echo "expected status $expected, found $status"
		cat "$T/boot.json" "$T/boot.err"
		return 1
	}
}
fetches() {
	web_requests web /b.ovpn
}
# installed: the md5 of what the phone has now, by its own word and by md5sum
installed() {
	refphone --state "$T/phone" --json status | jq -r '.md5 // "none"' 2>/dev/null
}
on_disk() {
	local files=("$T"/phone/bundle-*.ovpn)
	[ -e "${files[0]}" ] && md5sum "${files[@]}" | cut -d' ' -f1 || echo none
}
has() {
	is "$1" "$(on_disk)" "$2"
}

cp "$T/one.ovpn" "$T/web.www/b.ovpn"
xml 0 "$url value=\"1\""
ok "no md5 on a factory-fresh phone" boot 0
has "... no download" none
is "... no request for the file at all" "$(fetches)" 0

xml 0 "$url value=\"0\" md5=\"$(md5 one)\""
ok "a value other than 1" boot 0
has "... not used" none
is "... no request" "$(fetches)" 0

xml 0 "$url value=\"1\" md5=\"$(md5 one)\""
ok "the file is missing, and the VPN disabled" boot 0
has "... fetched and installed all the same" "$(md5 one)"
is "the stored file is byte for byte the server's" "$(cmp "$T/one.ovpn" "$T"/phone/bundle-*.ovpn && echo same)" same

ok "md5 unchanged" boot 0
is "... no fetch" "$(fetches)" 0

xml 0 "$url value=\"1\" md5=\"$(md5 two)\""
ok "md5 changed and not matching: integrity" boot 5
has "... discarded, the old one is kept" "$(md5 one)"
is "... it was fetched" "$(fetches)" 1

cp "$T/two.ovpn" "$T/web.www/b.ovpn"
ok "md5 changed and matching" boot 0
has "... installed" "$(md5 two)"

cp "$T/one.ovpn" "$T/web.www/b.ovpn"
ok "new bytes under the old md5" boot 0
is "... no fetch" "$(fetches)" 0
has "... the stored one stays" "$(md5 two)"

xml 0 "$url value=\"1\""
ok "no md5 on a provisioned phone" boot 0
has "... keeps what it has" "$(md5 two)"

xml 0 ""
ok "no openvpn_inline_config at all" boot 0
has "... keeps what it has" "$(md5 two)"

rm "$T"/phone/bundle-*.ovpn
xml 0 "$url value=\"1\" md5=\"$(md5 one)\""
ok "the file has gone: fetched" boot 0
has "... installed" "$(md5 one)"

head -c 100 "$T/two.ovpn" >"$T/web.www/b.ovpn"
xml 0 "$url value=\"1\" md5=\"$(md5 two)\""
ok "a cut file" boot 5
has "... the old one is kept" "$(md5 one)"

rm "$T/web.www/b.ovpn"
ok "no file at the URL" boot 3
has "... the old one is kept" "$(md5 one)"

rm "$T/web.www/$mac.cfg"
ok "no XML at the URL" boot 3
has "... the old one is kept" "$(md5 one)"
echo '<config><setting' >"$T/web.www/$mac.cfg"
ok "a broken XML" boot 1
has "... the old one is kept" "$(md5 one)"
printf '<!DOCTYPE config [<!ENTITY x SYSTEM "file:///etc/passwd">]><config>&x;</config>' >"$T/web.www/$mac.cfg"
ok "an XML with an external entity" boot 1
has "... the old one is kept" "$(md5 one)"
unlike "... and nothing of it is read" "$(cat "$T/boot.json")" root:

ok "factory reset" refphone --state "$T/phone" factory-reset
has "... nothing is left" none

cp "$T/one.ovpn" "$T/web.www/b.ovpn"
xml 1 "$url value=\"1\" md5=\"$(md5 one)\""
for model in D40 D45 D50 D70; do
	rm -rf "$T/phone"
	ok "a $model ignores it all" boot 0
	is "... fetches nothing" "$(fetches)" 0
done
model=D65
firmware=2_5_0
rm -rf "$T/phone"
ok "deprecated firmware with the VPN enabled" boot 1
is "... fetches nothing" "$(fetches)" 0
like "... and says why" "$(cat "$T/boot.json")" "2_7_0"
firmware=2_7_0

# A file that the md5 lets through and the phone's OpenVPN cannot read.
{
	echo "data-ciphers AES-256-GCM"
	cat "$T/one.ovpn"
} >"$T/modern.ovpn"
cp "$T/modern.ovpn" "$T/web.www/b.ovpn"
xml 1 "$url value=\"1\" md5=\"$(md5 modern)\""
rm -rf "$T/phone"
ok "a directive that OpenVPN 2.3.2 does not know" boot 5
like "... is named with its line" "$(cat "$T/boot.json")" "line 1.*data-ciphers"
stop web
ok "no server at all" boot 1
has "... what is stored stays" "$(md5 modern)"

# ---- our server, with every login, and passwords that need escapes ----
printf 'p@ss:w/rd %%&"<>\303\244' >"$T/odd"
phonevpn --quiet phone set $mac --http-password-file "$T/odd"
for auth in digest basic none; do
	rm -rf "$T/phone"
	spawn serve phonevpn serve --listen 127.0.0.1:0 --auth $auth
	ok "serve --auth $auth" wait_until 10 printed serve 'listening on'
	phonevpn config set url "$(sed -n 's/^listening on //p' "$T/serve.out")"
	phonevpn emit url $mac >"$T/url"
	ok "$auth: the phone boots" refphone --state "$T/phone" --mac $mac --model D65 --firmware 2_7_0 boot --config-url-file "$T/url" --no-connect
	has "$auth: with the bundle that is offered" "$(phonevpn emit md5 $mac)"
	[ $auth = none ] || {
		sed 's/p%40ss/wrong/' "$T/url" >"$T/wrong.url"
		ok "$auth: a wrong password is a failure" fails_with 1 refphone --state "$T/other" --mac $mac --model D65 --firmware 2_7_0 boot --config-url-file "$T/wrong.url" --no-connect
		unlike "$auth: no password shows" "$(cat "$T/out" "$T/err")" 'w%2Frd|w/rd'
	}
	rm -rf "$T/other"
	stop serve
done
is "the phone's folder is its owner's alone" "$(stat -c %a "$T/phone")" 700
ok "... and all in it" test -z "$(find "$T/phone" -perm /077)"
done_testing
