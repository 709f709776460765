#!/bin/bash
# SPDX-License-Identifier: ISC
#
# "check fleet": nothing is found in what phonevpn itself makes and serves, and each thing that is broken afterwards is.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/webservers.sh"

export PHONEVPN_DIR=$T/state
port=$(free_port)
phonevpn --quiet init --vpn-host vpn.example.com --url "https://127.0.0.1:$port" --ca-bits 2048 || bail_out init
phonevpn --quiet phone import "$SOURCE/doc/examples/fleet.csv" || bail_out import
phonevpn --quiet mint --all >"$T/out" || bail_out mint
first=000fd3006001 second=000fd3006201

# found OPTION...: the rules of errors and warnings, each once; all that was found is in $T/f.json
found() {
	phonevpn --json check fleet "$@" >"$T/f.json" 2>"$T/f.err"
	echo $? >"$T/status"
	jq -r '.findings[] | select(.severity != "note") | .rule' "$T/f.json" | grep -v '^xml-url-loopback$' | sort -u | tr '\n' ' ' |
		sed 's/ $//'
}
noted() {
	jq -r '.findings[] | select(.severity == "note") | .rule' "$T/f.json" | sort -u | tr '\n' ' ' | sed 's/ $//'
}

# ---- what phonevpn makes ----
is "a fresh fleet: nothing is found" "$(found)" ""
ok "... status 0" phonevpn check fleet
like "... and it says how many" "$(cat "$T/out")" "^8 phones: 0 errors"
is "... but notes" "$(found >/dev/null; noted)" "fleet-model ovpn-d80 xml-admin-password"
is "... and what phones share once, with their number" \
	"$(jq -r '.findings[] | select(.rule == "xml-admin-password") | .element' "$T/f.json")" "phone $first and 3 more"

# ---- what somebody did to the database ----
# broken WHAT SQL RULES [OPTION...]
broken() {
	local what=$1 sql=$2 rules=$3
	shift 3
	rm -rf "$T/broken"
	cp -a "$T/state" "$T/broken"
	sqlite3 "$T/broken/phonevpn.db" "PRAGMA foreign_keys = off; $sql" || bail_out "$what"
	is "$what: found" "$(found --dir "$T/broken" "$@")" "$rules"
}
phone="(SELECT id FROM phones WHERE mac = '$first')"
broken "an offer is lost" "UPDATE phones SET offered = NULL WHERE mac = '$first'" fleet-not-offered
is "... by the phone's MAC" "$(jq -r '.findings[] | select(.rule == "fleet-not-offered") | .element' "$T/f.json")" "phone $first"
broken "another md5" "UPDATE generations SET md5 = zeroblob(16) WHERE phone = $phone" fleet-bundle
broken "another profile's text" "UPDATE profiles SET text = CAST(replace(CAST(text AS TEXT), 'verb 3', 'verb 4') AS BLOB)" fleet-bundle
broken "a sealed key that was written over" "UPDATE certificates SET sealed_key = zeroblob(1300) WHERE phone = $phone" fleet-bundle
broken "one phone's generation under another's name" \
	"UPDATE generations SET (serial, md5, size) = (SELECT serial, md5, size FROM generations WHERE phone = (SELECT id FROM phones WHERE mac = '$second')) WHERE phone = $phone" \
	fleet-bundle
broken "a certificate revoked behind the CRL's back" "UPDATE certificates SET revoked = 1, reason = 0 WHERE phone = $phone" \
	"fleet-crl-incomplete fleet-revoked-offered"
broken "a longer life in the database" "UPDATE certificates SET not_after = not_after + 86400 WHERE phone = $phone" fleet-record
broken "a password that was written over" "UPDATE phones SET sealed_http_password = zeroblob(64) WHERE mac = '$first'" fleet-credential
broken "a CRL that is none" "UPDATE authorities SET crl = x'3000'" fleet-crl-broken
broken "a server's certificate that is a phone's" \
	"UPDATE certificates SET cert = (SELECT cert FROM certificates WHERE phone = $phone) WHERE kind = 'server'" fleet-server-broken

# ---- what an admin did ----
# changed WHAT RULES COMMAND...: in a copy
changed() {
	local what=$1 rules=$2
	shift 2
	rm -rf "$T/broken"
	cp -a "$T/state" "$T/broken"
	phonevpn --quiet --dir "$T/broken" "$@" >"$T/out" || bail_out "$what"
	is "$what" "$(found --dir "$T/broken")" "$rules"
}
changed "a phone that was not minted" fleet-not-minted phone add 000fd3006502 --model D65
changed "old firmware" fleet-firmware phone set $first --firmware 2_6_6
changed "another auth than the bundles have" "fleet-profile-old fleet-server-mismatch" config set vpn-auth SHA256
like "... with which the next server would carry nothing, and for how many" \
	"$(jq -r '.findings[] | select(.rule == "fleet-server-mismatch") | "\(.element): \(.text)"' "$T/f.json")" \
	"^auth: expected auth SHA1, as in profile [0-9a-f]+ of 4 phones, found SHA256 .server-auth.$"
changed "another port" "fleet-profile-old fleet-server-mismatch" config set vpn-port 1195
changed "another protocol" "fleet-profile-old fleet-server-mismatch" config set vpn-proto tcp
changed "another cipher, which the server takes beside theirs" fleet-profile-old config set vpn-cipher AES-128-CBC
changed "comp-lzo, which the server takes beside none" fleet-profile-old config set vpn-lzo yes
changed "another check of the server, which its certificate passes" fleet-profile-old config set vpn-server-check ns-cert-type
changed "an extension that another phone has" fleet-extension-twice phone set $first --extension 202
changed "a revoked phone is in order" "" revoke $first
is "... and noted" "$(noted)" "fleet-model fleet-revoked ovpn-d80 xml-admin-password"
changed "logging that is left on" xml-logging-on config set vpn-logging yes
changed "plain http" xml-url-clear config set url http://pbx.example.com
changed "a server inside the VPN" xml-url-in-vpn config set url https://10.8.0.1
is "... which is told once" "$(jq '[.findings[] | select(.rule == "xml-url-in-vpn")] | length' "$T/f.json")" 1
phonevpn --quiet --dir "$T/broken" mint $first --renew >"$T/out"
sqlite3 "$T/broken/phonevpn.db" "UPDATE phones SET offered = 1 WHERE mac = '$first'"
like "a mint that was interrupted" "$(found --dir "$T/broken")" fleet-offer-behind

# ---- what time does ----
in_days() {
	date -u -d "+$1 days" +%Y-%m-%d
}
is "certificates that end" "$(found --at "$(in_days 1800)")" ovpn-cert-ending
is "... not for who looks at fewer days" "$(found --at "$(in_days 1800)" --days 5)" ""
is "certificates that have ended" "$(found --at "$(in_days 1826)")" ovpn-cert-expired
is "... status 5" "$(cat "$T/status")" 5
is "a CRL and a server's certificate that end" "$(found --at "$(in_days 3640)")" "fleet-crl-ends fleet-server-ends ovpn-cert-expired"
is "... that have ended" "$(found --at "$(in_days 3651)")" "fleet-crl-ended fleet-server-ended ovpn-cert-expired"
like "... and the CA's" "$(found --at "$(in_days 7301)")" "fleet-ca-ended .*ovpn-ca-time"
like "... which began only now" "$(found --at 1969-12-31)" fleet-ca-ended

# ---- the admin's own documents ----
mkdir "$T/base"
printf '<config>\n<setting id="network_openvpn" value="1"/>\n</config>\n' >"$T/base/$first.cfg"
is "a document with another setting" "$(found --base-dir "$T/base")" xml-setting-unknown
is "... in that file" "$(jq -r '.findings[] | select(.rule == "xml-setting-unknown") | .file' "$T/f.json")" "$T/base/$first.cfg"
echo '<config>' >"$T/base/$first.cfg"
is "a document that is none" "$(found --base-dir "$T/base")" fleet-xml
ok "a folder that is not there" fails_with 3 phonevpn check fleet --base-dir "$T/none"

# ---- a server ----
phonevpn --quiet emit server --out "$T/server" >"$T/out" || bail_out "emit server"
server_found() {
	found --server "$T/server/server.conf" >/dev/null
	jq -r '.findings[] | select(.rule | startswith("server-")) | select(.severity == "error") | .rule' "$T/f.json" | sort -u
}
is "the emitted server takes the fleet" "$(server_found)" ""
is "... and of the model that is not known it says how many" \
	"$(jq -r '.findings[] | select(.rule == "server-model") | .element' "$T/f.json")" "phone 000fd3008001"
sed -i 's/^auth .*/auth SHA512/' "$T/server/server.conf"
is "... with another auth it does not" "$(server_found)" server-auth
is "... which is told once for all phones" \
	"$(jq -r '[.findings[] | select(.rule == "server-auth") | .text | capture("(?<n>[0-9]+) phones").n] | join(" ")' "$T/f.json")" 4

changed "another auth" "fleet-profile-old fleet-server-mismatch" config set vpn-auth SHA512
phonevpn --quiet --dir "$T/broken" mint --all >"$T/out"
is "a server that has it, and phones that have it" "$(found --dir "$T/broken" --server "$T/server/server.conf")" ""
sqlite3 "$T/broken/phonevpn.db" "UPDATE phones SET offered = 1 WHERE mac = '$first'"
is "... but for one that is still offered its former bundle" "$(found --dir "$T/broken" --server "$T/server/server.conf")" \
	"fleet-offer-behind fleet-profile-old fleet-server-mismatch server-auth"

# ---- which phones, and how it is told ----
is "phones by name" "$(phonevpn --json check fleet $second $first | jq -r .ok)" true
ok "a group" phonevpn check fleet --group office
like "... of four" "$(cat "$T/out")" "^4 phones"
ok "a group without phones: not found" fails_with 3 phonevpn check fleet --group nobody
ok "a group and names: usage" fails_with 2 phonevpn check fleet --group office $first
ok "a phone that is not there: not found" fails_with 3 phonevpn check fleet 000fd3ffffff
sqlite3 "$T/broken/phonevpn.db" "UPDATE generations SET md5 = zeroblob(16)"
found --dir "$T/broken" --jobs 2 >/dev/null
macs=$(jq -r '.findings[] | select(.rule == "fleet-bundle") | .element' "$T/f.json")
is "findings come in the order of the MACs" "$macs" "$(sort <<<"$macs")"
phonevpn --dir "$T/broken" check fleet --format sarif >"$T/f.sarif"
is "SARIF: each result has its rule" \
	"$(jq '[.runs[0] as $r | $r.results[] | .ruleId == $r.tool.driver.rules[.ruleIndex].id] | all and length > 0' "$T/f.sarif")" true

# ---- what is really served ----
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/tls.key" -out "$T/tls.crt" -days 20 -subj /CN=127.0.0.1 \
	-addext subjectAltName=IP:127.0.0.1 2>"$T/out" || bail_out openssl
spawn serve phonevpn serve --listen "127.0.0.1:$port" --tls-cert "$T/tls.crt" --tls-key "$T/tls.key"
wait_until 10 printed serve 'listening on' || bail_out serve
live=https://127.0.0.1:$port
is "a TLS certificate that nobody trusts: found" "$(found --live "$live")" "live-tls"
is "... once" "$(jq '[.findings[] | select(.rule == "live-tls")] | length' "$T/f.json")" 1
is "serve, with its certificate trusted, but for its end" "$(found --live "$live" --live-ca "$T/tls.crt")" live-tls-ends
is "... and nothing with fewer days" "$(found --live "$live" --live-ca "$T/tls.crt" --days 5)" ""
logged serve
is "... every phone's XML was fetched" "$(printed serve 'GET [^ ]*[.]cfg HTTP/1.1" 200 .* 000fd3[0-9a-f]{6} -$' | awk '{ print $(NF - 1) }' | sort -u | wc -l)" 8
is "... and every bundle" "$(printed serve 'GET [^ ]*[.]ovpn HTTP/1.1" 200 ' | awk '{ print $(NF - 1) }' | sort -u | wc -l)" 4
is "... and one phone tried to have another's" "$(printed serve 'GET [^ ]*[.]cfg HTTP/1.1" 40[34] ' | wc -l)" 2
rm -rf "$T/other"
cp -a "$T/state" "$T/other"
phonevpn --quiet --dir "$T/other" mint $first --renew >"$T/out"
is "a server with another state: stale" "$(found --dir "$T/other" --live "$live" --live-ca "$T/tls.crt" --days 5)" live-stale
is "... of one phone" "$(jq -r '.findings[] | select(.rule == "live-stale") | .element' "$T/f.json")" "phone $first"
password() {
	echo "$1" >"$T/password"
}
password other
phonevpn --quiet --dir "$T/other" phone set $second --http-password-file "$T/password"
is "another password: refused" "$(found --dir "$T/other" --live "$live" --live-ca "$T/tls.crt" --days 5 $second)" live-login
ok "no URL: usage or input" fails_with 2 phonevpn check fleet --live pbx
ok "--live-ca alone: usage" fails_with 2 phonevpn check fleet --live-ca "$T/tls.crt"
stop serve

# A plain web server, with files as "export" writes them.
ok "nginx is up" web_start plain nginx none
phonevpn --quiet config set url "$(web_url plain)"
export_all() {
	rm -rf "$T/plain.www"
	phonevpn --quiet export --out "$T/plain.www"
}
plain() {
	found --live "$(web_url plain)" | sed 's/ \?xml-url-clear//'
}
ok "export" export_all
is "files without a login" "$(plain)" live-no-login
is "... told once for the XML, once for the bundles" "$(jq '[.findings[] | select(.rule == "live-no-login")] | length' "$T/f.json")" 2
bundle=$(find "$T/plain.www/ovpn" -name "$first.ovpn")
sed -i 's/$/\r/' "$bundle"
is "a bundle with other line ends" "$(plain)" "live-md5 live-no-login"
rm "$bundle"
is "a bundle that is not there" "$(plain)" "live-no-login live-status"
export_all
echo '<html>down for maintenance</html>' >"$T/plain.www/$first.cfg"
is "a page in place of the XML" "$(plain)" "live-no-login xml-root"
sed 's/\(enable_openvpn" value="\)1/\10/' "$T/plain.www/$second.cfg" >"$T/plain.www/x" && mv "$T/plain.www/x" "$T/plain.www/$second.cfg"
like "an XML that somebody edited" "$(plain)" live-setting
export_all
cp "$T/plain.www/$first.cfg" "$T/plain.www/000000000000.cfg"
is "a phone's XML for all" "$(plain)" "live-generic-secret live-no-login"
unlike "no password is printed" "$(cat "$T/f.json")" "$(phonevpn emit url $first | sed 's,.*:\([^@]*\)@.*,\1,')"
stop plain

# One login for all.
ok "lighttpd with Digest is up" web_start one lighttpd digest
phonevpn --quiet config set url "http://127.0.0.1:${web_port[one]}"
password "$WEB_PASSWORD"
phonevpn --quiet phone set 000fd3004501 --http-user "$WEB_USER" --http-password-file "$T/password"
rm -rf "$T/one.www"
phonevpn --quiet export --out "$T/one.www"
is "one login for all phones" "$(found --live "http://127.0.0.1:${web_port[one]}" | sed 's/ \?xml-url-clear//')" "live-login live-other-phone"
stop one

# ---- a server that is not there ----
{
	echo mac,model
	for i in $(seq 0 199); do printf '000fd31000%02x,D65\n' "$i"; done
} >"$T/fleet.csv"
phonevpn --quiet phone import "$T/fleet.csv"
start=$SECONDS
like "nobody listens" "$(found --live http://127.0.0.1:1)" "live-given-up live-unreachable"
is "... told once" "$(jq '[.findings[] | select(.rule | startswith("live-"))] | length' "$T/f.json")" 2
ok "... and given up soon" test $((SECONDS - start)) -lt 30
done_testing
