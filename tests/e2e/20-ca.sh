#!/bin/bash
# SPDX-License-Identifier: ISC
#
# OpenSSL's opinion of every certificate, key and CRL that comes out.
. "$(dirname "$0")/lib.sh"

export PHONEVPN_DIR=$T/state
mac=000fd3006501

ok "init with the default CA" phonevpn init --vpn-host vpn.example.com --url http://pbx.example.com:8080 --org "Example Ltd"
ok "import" phonevpn phone import "$SOURCE/doc/examples/fleet.csv"
ok "mint one phone" phonevpn mint "$mac"
ok "emit server" phonevpn emit server --out "$T/server"
phonevpn emit bundle "$mac" >"$T/bundle.ovpn"
block() {
	awk -v b="$1" '$0 == "</" b ">" { on = 0 } on { print } $0 == "<" b ">" { on = 1 }' "$T/bundle.ovpn"
}
block ca >"$T/ca.crt"
block cert >"$T/phone.crt"
block key >"$T/phone.key"
cd "$T/server" || exit 1

ok "the bundle's CA is the server's CA" same_bytes "$T/ca.crt" ca.crt
ok "openssl verifies the server certificate for its purpose" openssl verify -x509_strict -purpose sslserver -CAfile ca.crt server.crt
ok "... and the phone's" openssl verify -x509_strict -purpose sslclient -CAfile ca.crt "$T/phone.crt"
ok "... not the other way round" fails_with 2 openssl verify -purpose sslserver -CAfile ca.crt "$T/phone.crt"
ok "a phone whose clock says 1970 accepts all of them" openssl verify -attime 86400 -purpose sslserver -CAfile ca.crt server.crt

text() {
	openssl x509 -in "$1" -noout -text
}
like "the CA's key has 3072 bits" "$(text ca.crt)" "Public-Key: \(3072 bit\)"
like "the phone's has 2048" "$(text "$T/phone.crt")" "Public-Key: \(2048 bit\)"
for cert in ca.crt server.crt "$T/phone.crt"; do
	name=$(basename "$cert")
	like "$name: SHA-256" "$(text "$cert")" "Signature Algorithm: sha256WithRSAEncryption"
	like "$name: organization" "$(openssl x509 -in "$cert" -noout -subject -nameopt multiline)" "organizationName += Example Ltd"
	is "$name: serial of 20 bytes" "$(openssl x509 -in "$cert" -noout -serial | sed 's/serial=//' | tr -d '\n' | wc -c)" 40
done
like "a CA's name that no other shares" "$(openssl x509 -in ca.crt -noout -subject -nameopt multiline)" "commonName .*CA [0-9a-f]{16}"
is "the phone's CN is its MAC" "$(openssl x509 -in "$T/phone.crt" -noout -subject -nameopt multiline | awk '/commonName/ { print $3 }')" "$mac"
ext() {
	openssl x509 -in "$1" -noout -ext "$2" 2>/dev/null | sed 1d | tr -s ' \n' ' ' | sed 's/^ //; s/ $//'
}
is "server: key usage, exactly 0xa0" "$(ext server.crt keyUsage)" "Digital Signature, Key Encipherment"
is "server: extended key usage" "$(ext server.crt extendedKeyUsage)" "TLS Web Server Authentication"
is "server: nsCertType" "$(ext server.crt nsCertType)" "SSL Server"
is "server: its name" "$(ext server.crt subjectAltName)" "DNS:vpn.example.com"
is "phone: key usage" "$(ext "$T/phone.crt" keyUsage)" "Digital Signature"
is "phone: extended key usage" "$(ext "$T/phone.crt" extendedKeyUsage)" "TLS Web Client Authentication"
like "phone: AKI by key id" "$(openssl x509 -in "$T/phone.crt" -noout -ext authorityKeyIdentifier)" "^ +([0-9A-F]{2}:){19}[0-9A-F]{2}$"
unlike "... and by nothing else" "$(openssl x509 -in "$T/phone.crt" -noout -ext authorityKeyIdentifier)" "DirName|serial"
is "... which is the CA's" "$(ext "$T/phone.crt" authorityKeyIdentifier)" "$(ext ca.crt subjectKeyIdentifier)"
end() {
	date -d "$(openssl x509 -in "$1" -noout -enddate | sed 's/.*=//')" +%s
}
ok "no certificate outlives the CA" test "$(end server.crt)" -le "$(end ca.crt)" -a "$(end "$T/phone.crt")" -le "$(end ca.crt)"
ok "the keys are PKCS#8" grep -q "^-----BEGIN PRIVATE KEY-----$" server.key "$T/phone.key"
ok "the server's key is its owner's alone" test "$(stat -c %a server.key)" = 600
ok "openssl finds the phone's key right" openssl rsa -in "$T/phone.key" -check -noout
is "... and the certificate's" "$(openssl pkey -in "$T/phone.key" -pubout)" "$(openssl x509 -in "$T/phone.crt" -noout -pubkey)"

# ---- life ----
ok "a phone's life never reaches beyond the CA" phonevpn config set phone-days 36500
ok "... renewed" phonevpn mint "$mac" --renew
phonevpn emit bundle "$mac" >"$T/bundle.ovpn"
block cert >"$T/long.crt"
is "... it ends with the CA" "$(end "$T/long.crt")" "$(end ca.crt)"
is "the key is the same" "$(block key | md5sum)" "$(md5sum <"$T/phone.key")"

# ---- revocation ----
ok "the CRL is the CA's" openssl crl -in crl.pem -CAfile ca.crt -noout -verify
like "it is empty" "$(openssl crl -in crl.pem -noout -text)" "No Revoked Certificates"
ok "a good certificate passes" openssl verify -crl_check -CRLfile crl.pem -CAfile ca.crt "$T/phone.crt"
serial=$(openssl x509 -in "$T/phone.crt" -noout -serial | sed 's/serial=//' | tr A-F a-f)
ok "revoke by serial" phonevpn revoke --serial "$serial" --reason superseded
like "... it says what the OpenVPN server needs" "$(cat "$T/out")" "phonevpn crl --out"
ok "twice: conflict" fails_with 4 phonevpn revoke --serial "$serial"
ok "the server's own: refused" fails_with 1 phonevpn revoke --serial "$(openssl x509 -in server.crt -noout -serial | sed 's/serial=//')"
ok "an unknown one: not found" fails_with 3 phonevpn revoke --serial 4000000000000000000000000000000000000001
ok "the new CRL" phonevpn crl --out crl.pem
ok "... is readable by the user that OpenVPN drops to" test "$(stat -c %a crl.pem)" = 644
ok "... refuses the old certificate" fails_with 2 openssl verify -crl_check -CRLfile crl.pem -CAfile ca.crt "$T/phone.crt"
ok "... and no other" openssl verify -crl_check -CRLfile crl.pem -CAfile ca.crt "$T/long.crt"
like "... says why" "$(openssl crl -in crl.pem -noout -text)" "Superseded"
number() {
	openssl crl -in crl.pem -noout -crlnumber | sed 's/.*=0x//'
}
before=$(number)
ok "a renewed CRL" phonevpn crl --renew --out crl.pem
ok "... has a greater number" test "$((16#$(number)))" -gt "$((16#$before))"
ok "a dry run of a revocation" phonevpn revoke --dry-run "$mac"
like "... says what" "$(cat "$T/out")" "^would revoke [0-9a-f]{40}$"
ok "... and of a removal" phonevpn phone remove --dry-run "$mac"
ok "... change nothing" phonevpn emit md5 "$mac"
ok "revoke the phone" phonevpn revoke "$mac"
ok "its bundle is not emitted any more" fails_with 3 phonevpn emit bundle "$mac"
like "its XML turns the VPN off" "$(phonevpn emit xml "$mac")" 'network_default_enable_openvpn" value="0"'
ok "mint --all passes it by" phonevpn mint --all
like "... and says so" "$(cat "$T/out")" "$mac.*revoked"
ok "renewing it is refused" fails_with 4 phonevpn mint "$mac" --renew
ok "only a new key brings it back" phonevpn mint "$mac" --rekey
ok "... and it is offered again" phonevpn emit md5 "$mac"
done_testing
