#!/bin/bash
# SPDX-License-Identifier: ISC
#
# An easy-rsa PKI, made by easy-rsa itself, is taken over: what ran goes on, what was revoked stays out, what is odd is
# told, and the PKI is only read.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pki.sh"

command -v easyrsa >/dev/null || bail_out "no easyrsa"
cd "$T" || exit 1
export PHONEVPN_DIR=$T/state
kept=000fd3006501
again=000fd3006502
odd=000fd3006202
keyless=000fd3006203
renewed=000fd3008001
stolen=000fd3006204
desk=000fd3006001
bare=000fd3006002
to=(--vpn-host vpn.example.com --url http://pbx.example.com:8080)
cat >fleet.csv <<END
mac,model,firmware,extension,certificate
$kept,D65,2_9_27,201,
$again,D65,,202,
$odd,D62,,203,
$keyless,D62,,204,
$renewed,D80,1_9_0,205,
$stolen,D62,,206,
$desk,D60,,207,reception
$bare,D60,,208,
000fd3004001,D40,,209,
END

# ---- a PKI as years of use leave one ----
make_pki() {
	er init-pki && er build-ca nopass && er build-server-full vpn.example.com nopass || return 1
	er build-client-full $kept nopass && er build-client-full reception nopass || return 1
	er build-client-full $again nopass && er revoke $again superseded && er build-client-full $again nopass || return 1
	er --req-cn=$odd gen-req lobby nopass && er sign-req client lobby || return 1
	openssl req -new -newkey rsa:2048 -nodes -keyout own.key -subj "/CN=$keyless" -out own.req 2>/dev/null &&
		er import-req "$T/own.req" $keyless && er sign-req client $keyless || return 1
	er build-client-full $renewed nopass && EASYRSA_CERT_RENEW=10000 er renew $renewed nopass || return 1
	er build-client-full $stolen nopass && er revoke $stolen keyCompromise || return 1
	er build-client-full laptop nopass && er build-client-full former nopass || return 1
	er gen-req expired nopass && ca_sign pki expired 20200101000000Z 20210101000000Z || return 1
	er gen-crl && er revoke former
}
ok "easy-rsa makes a PKI" make_pki || bail_out "no PKI"
issued() {
	openssl x509 -in "pki/issued/$1.crt" "${@:2}"
}
before=$(tree_sum pki)

# ---- a dry run ----
ok "a dry run" phonevpn import easyrsa pki "${to[@]}" --fleet fleet.csv --dry-run
report=$(cat out)
like "... says what it would do" "$report" "would be made around the CA \"Easy-RSA CA\""
ok "... and makes nothing" test ! -e "$PHONEVPN_DIR"

# ---- the takeover ----
ok "the PKI is taken over" phonevpn import easyrsa pki "${to[@]}" --fleet fleet.csv
report=$(cat out)
is "the PKI was only read" "$(tree_sum pki)" "$before"
like "all certificates are counted" "$report" "certificates: 9 valid, 3 revoked, 1 expired"
like "phones with their certificate" "$report" "phones: 8, 5 of them with the certificate that they have"
like "the server's certificate is taken over" "$report" "server vpn.example.com: its certificate is taken over"
serial_of() {
	openssl x509 -in "pki/$1/$2.crt" -noout -serial | sed 's/serial=//' | tr A-F a-f
}
finding() {
	like "told: $1" "$report" "$2.*\[import-$3\]"
}
finding "a revocation that crl.pem does not have" "index.txt:[0-9]+: warning: former: serial [0-9a-f]+: expected it in crl.pem" crl-lacks
finding "a name unlike the file's" "issued/lobby.crt: note: $odd: expected the common name lobby" file-name
finding "a phone without a key" "note: $keyless: expected private/$keyless.key" key-missing
finding "a renewed phone with two certificates" "note: $renewed: expected one certificate in force, found 2; taken: serial $(serial_of issued $renewed); valid as well: $(serial_of renewed/issued $renewed) " name-twice
finding "a stolen phone" "warning: $stolen: expected a certificate in force, found the last one revoked" phone-revoked
finding "a phone without any certificate" "note: $bare: expected a certificate in force, found none" phone-bare
finding "a certificate that is no phone's" "note: laptop: expected a MAC or a name of the fleet" no-phone
finding "a server without nsCertType" "note: vpn.example.com: expected nsCertType server, found none" server-netscape
finding "a CA that cannot be renewed in place" "found issuer and serial in [0-9]+ certificates" ca-issuer-serial
unlike "no error" "$report" " error: "
ok "a second time: conflict" fails_with 4 phonevpn import easyrsa pki "${to[@]}" --fleet fleet.csv

# ---- what phones get ----
block() {
	phonevpn emit bundle "$2" | awk -v b="$1" '$0 == "</" b ">" { on = 0 } on { print } $0 == "<" b ">" { on = 1 }'
}
# goes_on MAC FILE: its bundle has the certificate and the key that it has
goes_on() {
	is "$1 goes on with its certificate, byte for byte" "$(block cert "$1")" "$(issued "$2")"
	is "... and with its key" "$(block key "$1" | openssl pkey -outform DER | sha256sum)" \
		"$(openssl pkey -in "pki/private/$2.key" -outform DER | sha256sum)"
	is "... under the md5 that is offered" "$(phonevpn emit bundle "$1" | md5sum | cut -d' ' -f1)" "$(phonevpn emit md5 "$1")"
}
goes_on $kept $kept
goes_on $again $again
goes_on $odd lobby
goes_on $renewed $renewed
goes_on $desk reception
ok "the phone without a key is not offered anything yet" fails_with 3 phonevpn emit md5 $keyless
ok "the stolen phone is not in the fleet" fails_with 3 phonevpn phone show $stolen
ok "mint gives a bundle to those that lack one" phonevpn mint --all
like "... and to no other" "$(cat out)" "minted 2, left 5 as they are, turned down 1"
is "... not to those that have one" "$(block cert $kept)" "$(issued $kept)"

# ---- what the server gets, in OpenSSL's eyes ----
ok "emit server" phonevpn emit server --out server
ok "the CA is the same" same_bytes <(openssl x509 -in server/ca.crt) <(openssl x509 -in pki/ca.crt)
ok "the server's certificate is the same" same_bytes <(openssl x509 -in server/server.crt) <(issued vpn.example.com)
ok "OpenSSL verifies the CRL" openssl crl -in server/crl.pem -noout -CAfile pki/ca.crt
er gen-crl
revocations() {
	openssl crl -in "$1" -noout -text | sed -n '/^Revoked Certificates/,/^ *Signature Algorithm/p' | grep -v Signature
}
is "revoked are those of easy-rsa's own CRL, with dates and reasons" "$(revocations server/crl.pem)" "$(revocations pki/crl.pem)"
valid() {
	openssl verify -purpose sslclient -crl_check -CRLfile server/crl.pem -CAfile server/ca.crt "$1"
}
for mac in $kept $again $renewed $keyless $desk; do
	block cert "$mac" >"$mac.crt"
	ok "$mac: verifies" valid "$mac.crt"
done
ok "a revoked one does not" fails_with 2 valid pki/revoked/certs_by_serial/"$(revoked_serial superseded)".crt

# ---- the life after ----
serial=$(issued laptop -noout -serial | sed 's/serial=//')
ok "a certificate that is no phone's is revoked by its serial, as easy-rsa writes it" phonevpn revoke --serial "$serial"
ok "... and by no longer number" fails_with 2 phonevpn revoke --serial "00000000000000000000000000$serial"
ok "a phone is revoked with both of its certificates" phonevpn revoke $renewed
is "... both" "$(grep -c ^revoked out)" 2
ok "a phone without a key was recorded with its certificate" phonevpn revoke $keyless
is "... the old one and the one that was minted" "$(grep -c ^revoked out)" 2
phonevpn crl --out server/crl.pem
ok "the CRL has them" fails_with 2 valid pki/issued/laptop.crt
ok "... the old certificate of the renewed phone, too" fails_with 2 valid pki/renewed/issued/$renewed.crt
ok "... and the one without a key" fails_with 2 valid pki/issued/$keyless.crt
ok "a renewal of the odd one takes its MAC as the name" phonevpn mint $odd --renew
is "... for the same key" "$(block cert $odd | openssl x509 -noout -pubkey)" "$(issued lobby -noout -pubkey)"
like "... with the name of the MAC" "$(block cert $odd | openssl x509 -noout -subject)" "CN = $odd"
ok "the phone with another name is revoked by its MAC" phonevpn revoke $desk --dry-run
is "... with the certificate that it has" "$(cat out)" "would revoke $(serial_of issued reception)"
like "the server's file for it has that name" "$(ls server/ccd)" "^reception$"
ok "the log is whole" phonevpn events --verify

# Whoever edits the database must not hand one phone's imported key to another.
phonevpn emit md5 $desk >"$desk.md5"
sqlite3 "$PHONEVPN_DIR/phonevpn.db" "UPDATE generations SET serial = (SELECT serial FROM generations WHERE phone = (SELECT id FROM phones WHERE mac = '$desk')) WHERE phone = (SELECT id FROM phones WHERE mac = '$kept')"
ok "a certificate that was moved to another phone is not handed out" fails_with 5 phonevpn emit bundle $kept
ok "its own phone still gets it" phonevpn emit bundle $desk
done_testing
