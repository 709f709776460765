#!/bin/bash
# SPDX-License-Identifier: ISC
#
# An easy-rsa PKI that cannot be taken over, or only with care: nothing is half done, and every reason is told.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pki.sh"

command -v easyrsa >/dev/null || bail_out "no easyrsa"
cd "$T" || exit 1
export PHONEVPN_DIR=$T/state
mac=000fd3006501
to=(--vpn-host vpn.example.com --url http://pbx.example.com:8080)
import() {
	phonevpn import easyrsa "$@" "${to[@]}"
}

# ---- a CA with a passphrase ----
echo "a long passphrase" | tee pass >pass.out
echo "another" >wrong
export EASYRSA_PASSIN=file:$T/pass EASYRSA_PASSOUT=file:$T/pass.out
make_pki() {
	er init-pki && er build-ca && er build-server-full vpn nopass && er build-client-full $mac nopass &&
		er build-client-full locked && er --req-cn=000fd3006502 gen-req second nopass && er sign-req client second
}
ok "easy-rsa makes a PKI with an encrypted key" make_pki || bail_out "no PKI"
like "... it is encrypted" "$(head -n 1 pki/private/ca.key)" "BEGIN ENCRYPTED PRIVATE KEY"
ok "without the passphrase: refused" fails_with 1 import pki --model D65
like "... says how to give it" "$(cat err)" "pki/private/ca.key: expected a private key without passphrase, found an encrypted one; give its passphrase with --passphrase-file"
ok "with a wrong one: refused" fails_with 1 import pki --model D65 --passphrase-file wrong
like "... says so" "$(cat err)" "private/ca.key: expected a private key that the passphrase opens"
ok "both from standard input: usage" fails_with 2 import pki --passphrase-file - --fleet -
ok "an empty one: refused" fails_with 1 import pki --passphrase-file /dev/null
ok "nothing was made" test ! -e "$PHONEVPN_DIR"
ok "from standard input" sh -c "phonevpn import easyrsa pki ${to[*]} --model D65 --passphrase-file - --json <pass"
report=$(cat out)
is "JSON: two phones with their certificates" "$(jq -c .phones <<<"$report")" '{"added":2,"taken_over":2}'
is "... and what was odd" "$(jq -r '[.findings[].rule] | sort | unique | join(" ")' <<<"$report")" \
	"import-ca-clock import-ca-issuer-serial import-file-name import-no-phone import-server-netscape"
unlike "the passphrase is nowhere" "$(cat out err; strings "$PHONEVPN_DIR"/phonevpn.db*)" "a long passphrase"
ok "the CA signs" phonevpn mint $mac --renew
rm -r "$PHONEVPN_DIR"
printf 'mac,model,certificate\n000fd3006503,D65,locked\n' >fleet.csv
ok "a phone with an encrypted key" import pki --fleet fleet.csv --passphrase-file pass
like "... is told, and not asked for another passphrase" "$(cat out)" "locked: .*locked.key: expected a private key without passphrase.*\[import-key-unusable\]"
like "... nor is a phone added whose model nobody told" "$(cat out)" "warning: $mac: $mac: expected this phone in --fleet, or a --model.*\[import-phone-unknown\]"
rm -r "$PHONEVPN_DIR"
unset EASYRSA_PASSIN EASYRSA_PASSOUT

# ---- killed at any moment ----
openssl pkey -in pki/private/ca.key -passin file:pass -out ca.key
cp ca.key pki/private/ca.key
all=(phonevpn --quiet import easyrsa pki "${to[@]}" --model D65)
start=${EPOCHREALTIME//[.,]/}
"${all[@]}"
longest=$((${EPOCHREALTIME//[.,]/} - start))
rm -r "$PHONEVPN_DIR"
none=0
whole=0
# Killed so many microseconds after the start: then there is no state, or a whole one; and the next attempt works.
survives() {
	"${all[@]}" >/dev/null 2>&1 &
	perl -e 'select(undef, undef, undef, $ARGV[0] / 1e6)' "$1"
	kill -KILL $! 2>/dev/null
	wait $! 2>/dev/null
	if phonevpn emit md5 $mac >/dev/null 2>&1; then
		whole=$((whole + 1))
	else
		phonevpn phone list >/dev/null 2>&1
		[ $? -eq 3 ] && "${all[@]}" || return 1
		none=$((none + 1))
	fi
	phonevpn events --verify >/dev/null && phonevpn emit bundle $mac | cmp - <(phonevpn emit bundle $mac) &&
		[ "$(phonevpn --json phone list | jq length)" = 2 ] && rm -r "$PHONEVPN_DIR"
}
cuts() {
	local i
	for ((i = 0; i < 40; i++)); do
		survives $(((i * 37 % 40) * longest * 11 / 10 / 40)) || return 1
	done
}
ok "killed at 40 moments, no half of a state was found" cuts
diag "$none without a state, $whole whole"

# ---- what is no CA to be taken over ----
copy() {
	rm -rf bad && cp -a pki bad
}
# refused STATUS WHAT ERE: the folder "bad" is refused with that status and reason, and nothing is made.
refused() {
	ok "$2: refused" fails_with "$1" import bad --model D65
	like "... with the reason" "$(cat out err)" "$3"
	[ ! -e "$PHONEVPN_DIR" ] || rm -r "$PHONEVPN_DIR"
}
copy
rm bad/private/ca.key
refused 3 "a CA without its key" "bad/private/ca.key: .*; without the CA's key nothing can be issued or revoked"
copy
openssl genpkey -algorithm RSA -out bad/private/ca.key 2>/dev/null
refused 5 "another key" "bad/ca.crt: expected the certificate of private/ca.key, found 1 of other keys"
copy
break_key ca.key >bad/private/ca.key
like "openssl says of a key with one bit changed" "$(openssl rsa -in bad/private/ca.key -check -noout 2>&1)" "RSA key not ok"
refused 5 "a key with one bit changed" "bad/private/ca.key: private key: RSA key of 2048 bits .*: expected members that belong together"
copy
openssl req -x509 -key ca.key -subj "/CN=Easy-RSA CA" -days 10 -out bad/ca.crt -addext basicConstraints=critical,CA:FALSE 2>/dev/null
refused 5 "a certificate that is no CA" "bad/ca.crt: .*basicConstraints .*: expected a CA, found no CA"
openssl req -new -key ca.key -subj "/CN=Easy-RSA CA" -out ca.req
printf 'basicConstraints=CA:TRUE\nsubjectKeyIdentifier=hash\n' >ca.ext
copy
mkdir certs_by_serial && : >ca.index
cat >self.cnf <<-END
	[ca]
	default_ca = it
	[it]
	database = ca.index
	new_certs_dir = certs_by_serial
	rand_serial = yes
	default_md = sha256
	policy = any
	[any]
	commonName = supplied
END
openssl ca -batch -selfsign -config self.cnf -keyfile ca.key -in ca.req -out bad/ca.crt -extfile ca.ext \
	-startdate 20200101000000Z -enddate 20210101000000Z 2>/dev/null
refused 5 "a CA that has ended" "bad/ca.crt: .*certificate has expired"
copy
openssl req -x509 -newkey rsa:2048 -nodes -keyout other.key -subj "/CN=Other" -days 10 -out other.crt 2>/dev/null
openssl x509 -req -in ca.req -CA other.crt -CAkey other.key -days 5 -extfile ca.ext -out bad/ca.crt 2>/dev/null
refused 5 "a CA below another one" "expected a root that has signed itself, found one issued by \"CN=Other\""
copy
rm bad/index.txt
refused 3 "a PKI without an index" "bad/index.txt"
ok "a folder that is not there: not found" fails_with 3 import nowhere
like "... and what was expected" "$(cat err)" "^phonevpn: nowhere: No such file or directory; expected easy-rsa's folder .*, mostly named pki$"
mkdir above && cp -r pki above/pki
ok "the folder above easy-rsa's: not found" fails_with 3 import above
like "... and which one is meant" "$(cat err)" "^phonevpn: above/index.txt: No such file or directory; expected easy-rsa's folder .*, mostly named pki$"
rm -r above

# ---- an index that may have lost a revocation ----
copy
printf 'R\t290226194856Z\t\t0B\tunknown\t/CN=lost\nnonsense\n' >>bad/index.txt
sed -n 1p pki/index.txt >>bad/index.txt
refused 1 "broken rows" "bad/index.txt:5: error: date of the revocation: expected .* \[import-row-broken\]"
like "... all of them are named" "$(cat err)" "bad/index.txt:6: error: expected 6 fields"
like "... a serial that stands twice, too" "$(cat err)" "bad/index.txt:7: error: serial [0-9a-f]+: stands in line 1 already"
printf 'mac,model\nzz,D65\n' >fleet.csv
ok "a bad fleet: refused" fails_with 1 import pki --fleet fleet.csv
like "... with its line" "$(cat err)" "fleet.csv:2: error: MAC address: expected 12 hex digits"
ok "... nothing was made" test ! -e "$PHONEVPN_DIR"

# ---- oddities that lose nothing ----
copy
cp other.crt bad/issued/foreign.crt
echo "no certificate" >bad/issued/text.crt
rm bad/issued/$mac.crt bad/certs_by_serial/"$(awk -F '\t' -v cn="/CN=$mac" '$6 == cn { print $4 }' pki/index.txt)".pem
grep -v /CN=locked pki/index.txt >bad/index.txt
mv bad/certs_by_serial/"$(awk -F '\t' '$6 == "/CN=000fd3006502" { print $4 }' pki/index.txt)".pem bad/certs_by_serial/AB.pem
printf 'R\t290226194856Z\t240101000000Z,certificateHold\t0B\tunknown\t/CN=old\n' >>bad/index.txt
echo "no CRL" >bad/crl.pem
ok "a PKI with oddities" import bad --model D65
report=$(cat out)
like "a certificate of another CA" "$report" "bad/issued/foreign.crt: warning: Other: .*\[import-file-foreign\]"
like "a file that is none" "$report" "bad/issued/text.crt: warning: .*\[import-file-unreadable\]"
like "a row without its certificate" "$report" "bad/index.txt:[0-9]+: warning: $mac: serial [0-9a-f]+: .*\[import-file-missing\]"
like "a certificate without a row" "$report" "bad/issued/locked.crt: warning: locked: serial [0-9a-f]+: .*\[import-file-unindexed\]"
like "a file with another serial than its name says" "$report" "bad/certs_by_serial/AB.pem: note: .*\[import-file-name\]"
like "a CRL that is none" "$report" "bad/crl.pem: warning: .*\[import-crl-unusable\]"
serial=$(openssl x509 -in pki/issued/$mac.crt -noout -serial | sed 's/serial=//')
phonevpn crl --out crl.pem
is "a revocation without a certificate is in the CRL" "$(openssl crl -in crl.pem -noout -text | grep -A1 "Serial Number: 0B")" \
	"    Serial Number: 0B
        Revocation Date: Jan  1 00:00:00 2024 GMT"
ok "... and a certificate that only has a row can be revoked" phonevpn revoke --serial "$serial"
phonevpn crl --out crl.pem
ok "... really" fails_with 2 openssl verify -crl_check -CRLfile crl.pem -CAfile pki/ca.crt pki/issued/$mac.crt
ok "... the one without a row, too" phonevpn revoke --serial "$(openssl x509 -in pki/issued/locked.crt -noout -serial | sed 's/serial=//')"
ok "a serial of one byte" fails_with 4 phonevpn revoke --serial 0b
rm -r "$PHONEVPN_DIR"

# ---- a CRL with what the index does not have, and with a number ----
copy
openssl ca -config <(printf '[ca]\ndefault_ca=it\n[it]\ndatabase=%s\ncertificate=%s\nprivate_key=%s\ncrlnumber=%s\ncrl_extensions=ext\ndefault_md=sha256\n[ext]\nauthorityKeyIdentifier=keyid\n' \
	"$T/bad/index.txt" "$T/bad/ca.crt" "$T/bad/private/ca.key" "$T/crlnumber") -revoke bad/issued/$mac.crt -crl_reason superseded 2>/dev/null
echo 1F >crlnumber
openssl ca -config <(printf '[ca]\ndefault_ca=it\n[it]\ndatabase=%s\ncertificate=%s\nprivate_key=%s\ncrlnumber=%s\ncrl_extensions=ext\ndefault_md=sha256\n[ext]\nauthorityKeyIdentifier=keyid\n' \
	"$T/bad/index.txt" "$T/bad/ca.crt" "$T/bad/private/ca.key" "$T/crlnumber") -gencrl -crldays 30 -out bad/crl.pem 2>/dev/null
cp pki/index.txt bad/index.txt
ok "a CRL that knows more than the index" import bad --model D65
like "... is told" "$(cat out)" "bad/crl.pem: warning: $mac: serial [0-9a-f]+: .*found it not revoked \[import-crl-alone\]"
phonevpn crl --out crl.pem
ok "... what the server keeps out stays out" fails_with 2 openssl verify -crl_check -CRLfile crl.pem -CAfile pki/ca.crt pki/issued/$mac.crt
is "the CRL's number goes on" "$(openssl crl -in crl.pem -noout -crlnumber)" "crlNumber=0x20"
rm -r "$PHONEVPN_DIR"

# ---- servers ----
copy
EASYRSA_PKI=$T/bad er build-server-full second-server nopass
ok "two servers" import bad --model D65
like "... cannot be told apart" "$(cat out)" "expected one name, found .* and .*\[import-server-several\]"
like "... so there is a new one" "$(cat out)" "server vpn.example.com: a new certificate"
rm -r "$PHONEVPN_DIR"
ok "the one that is named" import bad --model D65 --server-name second-server
like "... is taken over" "$(cat out)" "server second-server: its certificate is taken over"
rm -r "$PHONEVPN_DIR"
ok "one that is not there: not found" fails_with 3 import bad --server-name third
copy
rm bad/private/vpn.key
ok "a server without its key" import bad --model D65
like "... is told" "$(cat out)" "warning: vpn: expected private/vpn.key, found no key of its own \[import-server-unfit\]"
like "... and the new one has its name" "$(cat out)" "server vpn: a new certificate"
phonevpn --quiet emit server --out server
ok "... which OpenSSL verifies" openssl verify -purpose sslserver -CAfile pki/ca.crt server/server.crt
rm -r "$PHONEVPN_DIR"

# ---- phones' certificates that today's server refuses ----
copy
EASYRSA_PKI=$T/bad er --req-cn=000fd3006504 gen-req 000fd3006504 nopass
ca_sign "$T/bad" 000fd3006504 20200101000000Z 20400101000000Z -extensions bare
EASYRSA_PKI=$T/bad er --req-cn=000fd3006505 gen-req 000fd3006505 nopass
ca_sign "$T/bad" 000fd3006505 20200101000000Z 20400101000000Z -md sha1
EASYRSA_PKI=$T/bad EASYRSA_ALGO=ec EASYRSA_CURVE=prime256v1 er build-client-full 000fd3006506 nopass
ok "certificates that cannot go on" import bad --model D65
like "... without extensions, which remote-cert-tls client wants" "$(cat out)" "000fd3006504: .*keyUsage .*\[import-phone-unfit\]"
like "... signed with SHA-1" "$(cat out)" "000fd3006505: .*digest.*\[import-phone-unfit\]"
like "... of an EC key" "$(cat out)" "000fd3006506: .*expected RSA, found id-ecPublicKey \[import-key-unusable\]"
ok "... get new ones" phonevpn mint --all
like "... all three" "$(cat out)" "minted 3, left 2 as they are"
rm -r "$PHONEVPN_DIR"

# ---- a CA with an EC key ----
export EASYRSA_PKI=$T/ec
make_ec_pki() {
	EASYRSA_ALGO=ec EASYRSA_CURVE=secp384r1 er init-pki && EASYRSA_ALGO=ec EASYRSA_CURVE=secp384r1 er build-ca nopass &&
		er build-server-full vpn nopass && er build-client-full $mac nopass
}
ok "easy-rsa makes an EC CA" make_ec_pki
ok "it is taken over" import ec --model D65
ok "... signs" phonevpn mint $mac --renew
ok "... and revokes" phonevpn revoke $mac
phonevpn crl --out crl.pem
ok "OpenSSL verifies its CRL" openssl crl -in crl.pem -noout -CAfile ec/ca.crt
like "... which lists both certificates" "$(openssl crl -in crl.pem -noout -text | grep -c 'Serial Number')" "^2$"
rm -r "$PHONEVPN_DIR"
rm -rf ec
EASYRSA_ALGO=ed EASYRSA_CURVE=ed25519 er init-pki
EASYRSA_ALGO=ed EASYRSA_CURVE=ed25519 er build-ca nopass
ok "an Ed25519 CA, which no phone was seen to take: refused" fails_with 5 import ec
like "... with the reason" "$(cat err)" "ec/private/ca.key: expected RSA or EC, found ED25519"
done_testing
