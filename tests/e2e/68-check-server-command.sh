#!/bin/bash
# SPDX-License-Identifier: ISC
#
# "check server" as a command: no false alarm on what "emit server" makes, against a bundle and against the fleet; its
# formats, exit statuses and errors. That its rules are true is shown in 67-check-server.sh.
. "$(dirname "$0")/lib.sh"

export PHONEVPN_DIR=$T/state
phonevpn --quiet init --vpn-host vpn.example.com --url http://vpn.example.com --ca-bits 2048 || bail_out init
phonevpn --quiet phone import "$SOURCE/doc/examples/fleet.csv" || bail_out import
d65=000fd3006501
# The user that an emitted server may become has to come this far.
chmod 711 "$T"

# emitted: server and bundles with the settings as they are
emitted() {
	phonevpn --quiet mint --all && rm -rf "$T/server" && phonevpn --quiet emit server --out "$T/server" &&
		phonevpn emit bundle $d65 >"$T/bundle.ovpn"
}
check() {
	phonevpn check server "$T/server/server.conf" "$@"
}
# silent OPTION...: no error and no warning
silent() {
	check --strict "$@"
}
for proto in udp tcp; do
	for lzo in no yes; do
		for cipher in AES-256-CBC BF-CBC; do
			phonevpn config set vpn-proto $proto && phonevpn config set vpn-lzo $lzo && phonevpn config set vpn-cipher $cipher
			ok "$proto, comp-lzo $lzo, $cipher: emit" emitted
			ok "... no false alarm by itself" silent
			ok "... against a bundle" silent --against "$T/bundle.ovpn" --model D65
			ok "... against the fleet" silent --fleet
		done
	done
done
mkdir "$T/empty" && chmod 700 "$T/empty"
phonevpn --dir "$T/empty" --quiet init --vpn-host vpn.example.com --url http://vpn.example.com --ca-bits 2048 || bail_out init
ok "a fleet without phones: emit" phonevpn --dir "$T/empty" --quiet emit server --out "$T/empty.server"
ok "... has no weakening, and no false alarm for that" phonevpn --dir "$T/empty" check server --strict "$T/empty.server/server.conf" --fleet
ok "... while a phone would not come in" fails_with 5 phonevpn check server "$T/empty.server/server.conf" --against "$T/bundle.ovpn"
phonevpn config set vpn-server-check ns-cert-type && phonevpn config set vpn-auth SHA256
ok "ns-cert-type and SHA256: emit" emitted
ok "... no false alarm" silent --fleet
like "... it says how many phones" "$(check --fleet)" 'against 4 phones: 0 errors, 0 warnings'

# ---- a fleet that a server keeps out ----
cp -r "$T/server" "$T/good"
sed -i 's/^auth .*/auth SHA1/' "$T/server/server.conf"
ok "one error for a profile that all phones share" fails_with 5 check --fleet --format json
is "... once" "$(jq -r '.findings[] | select(.severity == "error") | .rule' "$T/out")" server-auth
is "... at its line" "$(jq -r '.findings[] | select(.rule == "server-auth") | .line' "$T/out")" \
	"$(grep -n '^auth ' "$T/server/server.conf" | cut -d: -f1)"
ok "... and by itself none" check
cp "$T/good/server.conf" "$T/server/server.conf"
sed -i '/^max-clients/d' "$T/server/server.conf" && echo "max-clients 3" >>"$T/server/server.conf"
ok "fewer places than phones" fails_with 5 check --fleet --format json
is "... is found" "$(jq -r '.findings[] | select(.severity == "error") | .rule' "$T/out")" server-max-clients
cp "$T/good/server.conf" "$T/server/server.conf"
sed -i 's/^server .*/server 10.99.0.0 255.255.0.0/' "$T/server/server.conf"
ok "another network than the settings'" fails_with 5 check --fleet --strict --format json
ok "... is found" jq -e 'any(.findings[]; .rule == "server-network-setting" and .severity == "warning")' "$T/out"
cp "$T/good/server.conf" "$T/server/server.conf"
phonevpn --quiet init --vpn-host vpn.example.com --url http://vpn.example.com --ca-bits 2048 --dir "$T/other" || bail_out init
phonevpn --quiet emit server --out "$T/foreign" --dir "$T/other" || bail_out emit
cp "$T/foreign/ca.crt" "$T/server/ca.crt"
ok "phones of a CA that the server does not know" fails_with 5 check --fleet --format json
is "... once, with their number" "$(jq -r '.findings[] | select(.rule == "server-phone-ca") | .element' "$T/out")" \
	"phone 000fd3006001 and 3 more"
cp "$T/good/ca.crt" "$T/server/ca.crt"
phonevpn --quiet revoke $d65 || bail_out revoke
ok "a phone that is revoked, and not yet in the server's CRL" fails_with 5 check --fleet --format json
is "... is found" "$(jq -r '.findings[] | select(.severity == "error") | .rule' "$T/out")" server-not-revoked
phonevpn --quiet crl --out "$T/server/crl.pem" || bail_out crl
ok "... with it, it has no bundle to be judged" check --fleet --strict

# ---- formats and errors ----
sed -i '/^tls-version-min/d' "$T/server/server.conf"
ok "SARIF" fails_with 5 check --format sarif
is "... names the rule" "$(jq -r '.runs[0].results[] | select(.level == "error") | .ruleId' "$T/out")" server-tls-version
is "... of its own table" "$(jq -r '.runs[0] as $r | $r.results[] | select(.level == "error") | $r.tool.driver.rules[.ruleIndex].id' "$T/out")" \
	server-tls-version
ok "text" fails_with 5 check
like "... has the line to write" "$(cat "$T/out")" 'fix: Write: tls-version-min 1\.0'
like "... and the server's log line" "$(cat "$T/out")" 'no common TLS version enabled'
ok "a day on which the certificate is past" fails_with 5 check --at 2199-01-01
like "... is found" "$(cat "$T/out")" server-cert-expired
for other in /dev/null "$T/server/ca.crt" "$T/server/server.conf"; do
	ok "no phone's file, ${other##*/}: not judged" fails_with 1 check --against "$other"
	like "... and said" "$(cat "$T/err")" "expected a phone's OpenVPN file"
done
ok "--against and --fleet" fails_with 2 check --fleet --against "$T/bundle.ovpn"
ok "--model alone" fails_with 2 check --model D65
ok "an unknown model" fails_with 2 check --against "$T/bundle.ovpn" --model D66
ok "a model without OpenVPN" fails_with 1 check --against "$T/bundle.ovpn" --model D40
ok "no such file" fails_with 3 phonevpn check server "$T/nothing"
ok "no such bundle" fails_with 3 check --against "$T/nothing"
ok "no such state" fails_with 3 check --fleet --dir "$T/nothing"
ok "a bundle of garbage" sh -c "printf '<ca>\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n</ca>\n' >'$T/garbage.ovpn'"
ok "... is an error" fails_with 5 check --against "$T/garbage.ovpn"
unlike "no key is in any of it" "$(cat "$T"/out "$T"/err)" 'PRIVATE KEY'

# ---- as a plain user ----
if [ "$(id -u)" -eq 0 ]; then
	ok "who may not read the key is told to be root" fails_with 5 setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$BUILD/phonevpn" check server "$T/server/server.conf" --format json
	ok "... by a warning" jq -e 'any(.findings[]; .rule == "server-not-read")' "$T/out"
else
	skip 2 "needs root"
fi
done_testing
