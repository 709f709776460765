#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The bundles that phones have, taken over into a state that has their CA: keys that easy-rsa's folder does not hold any
# more come back, and a phone goes on with the certificate that it has.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pki.sh"

command -v easyrsa >/dev/null || bail_out "no easyrsa"
cd "$T" || exit 1
export PHONEVPN_DIR=$T/state
one=000fd3006501
two=000fd3006502
three=000fd3006503
four=000fd3006504
make_pki() {
	local name
	er init-pki && er build-ca nopass && er build-server-full vpn nopass || return 1
	for name in $one reception $three lobby stolen; do
		er build-client-full "$name" nopass || return 1
	done
	er revoke stolen && er gen-crl && mkdir keys && mv pki/private/[!cv]* keys
}
ok "easy-rsa makes a PKI, and the phones' keys are taken away" make_pki || bail_out "no PKI"
# bundle FILE CERTIFICATE KEY
bundle() {
	{
		echo "client
dev tun
proto udp
remote vpn.example.com 1194
nobind
cipher AES-256-CBC
auth SHA1
remote-cert-tls server"
		printf '<ca>\n%s\n</ca>\n<cert>\n%s\n</cert>\n<key>\n%s\n</key>\n' "$(cat pki/ca.crt)" "$(cat "$2")" "$(cat "$3")"
	} >"$1"
}
mkdir old
bundle old/first.ovpn pki/issued/$one.crt keys/$one.key
bundle old/00-0F-D3-00-65-02.ovpn pki/issued/reception.crt keys/reception.key
openssl rsa -in keys/$three.key -traditional -out pkcs1.key 2>/dev/null
bundle old/$three.ovpn pki/issued/$three.crt pkcs1.key
bundle old/lobby.ovpn pki/issued/lobby.crt keys/lobby.key
printf 'mac,model\n%s,D65\n%s,D65\n%s,D65\n' $one $two $three >fleet.csv
ok "the PKI is taken over" phonevpn import easyrsa pki --vpn-host vpn.example.com --url http://pbx.example.com --fleet fleet.csv
like "... without a key" "$(cat out)" "phones: 3, 0 of them with the certificate that they have"

block() {
	awk -v b="$1" '$0 == "</" b ">" { on = 0 } on { print } $0 == "<" b ">" { on = 1 }'
}
state() {
	phonevpn --json phone list | jq -c '[.[] | [.mac, .vpn, .newest_generation]]'
}
before=$(state)
ok "a dry run" phonevpn import ovpn old/first.ovpn --dry-run
like "... says what it would do" "$(cat out)" "$one: would be offered serial [0-9a-f]+, from old/first.ovpn"
is "... and does nothing" "$(state)" "$before"
ok "three bundles" phonevpn import ovpn old/first.ovpn old/00-0F-D3-00-65-02.ovpn old/$three.ovpn
like "... found by the common name" "$(cat out)" "$one: is offered serial .*, from old/first.ovpn"
like "... and by the file's name" "$(cat out)" "$two: is offered serial .*, from old/00-0F-D3-00-65-02.ovpn"
unlike "... the profile has what the bundles have" "$(cat out)" "import-bundle-differs"
while read -r mac name; do
	phonevpn emit bundle "$mac" >new.ovpn
	is "$mac: its certificate" "$(block cert <new.ovpn)" "$(openssl x509 -in "pki/issued/$name.crt")"
	is "... its key" "$(block key <new.ovpn | openssl pkey -outform DER | sha256sum)" "$(openssl pkey -in "keys/$name.key" -outform DER | sha256sum)"
	is "... its md5" "$(md5sum <new.ovpn | cut -d' ' -f1)" "$(phonevpn emit md5 "$mac")"
done <<END
$one $one
$two reception
$three $three
END
ok "mint has nothing to do" phonevpn mint --all
like "... for any of them" "$(cat out)" "minted 0, left 3 as they are"
ok "a fourth that is not in the fleet: not found" fails_with 3 phonevpn import ovpn old/lobby.ovpn --mac $four
like "... with what to do" "$(cat out err)" "phone $four: not in the fleet; .*, or --model here"
ok "... is added" phonevpn import ovpn old/lobby.ovpn --mac $four --model D62
is "... and offered" "$(phonevpn emit bundle $four | block cert)" "$(openssl x509 -in pki/issued/lobby.crt)"
ok "--mac and two files: usage" fails_with 2 phonevpn import ovpn old/lobby.ovpn old/first.ovpn --mac $four
ok "revoke finds the certificate under the phone" phonevpn revoke $two
like "... by its serial" "$(cat out)" "^revoked $(openssl x509 -in pki/issued/reception.crt -noout -serial | sed 's/serial=//' | tr A-F a-f)$"
ok "the bundle cannot bring it back" fails_with 4 phonevpn import ovpn old/00-0F-D3-00-65-02.ovpn
like "... and says why" "$(cat out err)" "revoked, so it cannot serve again"

# ---- what cannot be taken over ----
before=$(state)
# refused STATUS WHAT FILE ERE
refused() {
	ok "$2: refused" fails_with "$1" phonevpn import ovpn old/first.ovpn "$3" --model D65
	like "... with the reason" "$(cat err)" "$3: error: .*$4.*\[import-bundle-refused\]"
	is "... and the good one with it" "$(state)" "$before"
}
openssl req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.crt -subj "/CN=Other CA" -days 10 2>/dev/null
openssl req -new -newkey rsa:2048 -nodes -keyout foreign.key -subj "/CN=000fd3006509" 2>/dev/null |
	openssl x509 -req -CA other.crt -CAkey other.key -days 5 -out foreign.crt 2>/dev/null
bundle foreign.ovpn foreign.crt foreign.key
refused 5 "a phone of another CA" foreign.ovpn "found one of \"CN=Other CA\"; a phone of another CA needs that CA and its key"
bundle other-key.ovpn pki/issued/$three.crt keys/$one.key
refused 5 "another key" other-key.ovpn "private key: expected that of the certificate, found another"
openssl pkey -in keys/$three.key -aes256 -passout pass:secret -out locked.key
bundle locked.ovpn pki/issued/$three.crt locked.key
refused 1 "an encrypted key" locked.ovpn "<key>: expected a private key without passphrase, found an encrypted one"
break_key keys/$three.key >broken.key
bundle broken.ovpn pki/issued/$three.crt broken.key
refused 5 "a key with one bit changed" broken.ovpn "<key>: private key: RSA key of 2048 bits .*: expected members that belong together"
sed '/^<key>/,/^<\/key>/d' old/$three.ovpn >keyless.ovpn
echo "key $three.key" >>keyless.ovpn
refused 1 "a key in a file of its own" keyless.ovpn "expected an inline block <key> to </key>, found the name of a file"
sed '/^<cert>/,/^<\/cert>/d' old/$three.ovpn >certless.ovpn
refused 1 "no certificate" certless.ovpn "expected an inline block <cert> to </cert>, found none"
sed '/^<\/key>/d' old/$three.ovpn >endless.ovpn
refused 1 "a block without its end" endless.ovpn "expected an inline block <key> to </key>, found no end of it"
bundle nobody.ovpn pki/issued/lobby.crt keys/lobby.key
refused 1 "nobody's" nobody.ovpn "expected a MAC as the certificate's common name or as the file's, found \"lobby\""
stolen=$(awk -F '\t' '$1 == "R" { print $4 }' pki/index.txt)
bundle 000fd3006508.ovpn "pki/revoked/certs_by_serial/$stolen.crt" "pki/revoked/private_by_serial/$stolen.key"
refused 4 "one that easy-rsa has revoked" 000fd3006508.ovpn "revoked, so it cannot serve again"
cp old/first.ovpn again.ovpn
refused 4 "a second one of the same phone" again.ovpn "phone $one: expected one bundle, found another one in old/first.ovpn"
bundle $one.ovpn pki/issued/lobby.crt keys/lobby.key
ok "another phone's certificate: refused" fails_with 4 phonevpn import ovpn $one.ovpn
ok "... by a dry run, too" fails_with 4 phonevpn import ovpn $one.ovpn --dry-run
like "... and says whose it is" "$(cat err)" "expected a certificate of phone $one, found that of phone $four"
ok "a --mac that is none: usage" fails_with 2 phonevpn import ovpn old/first.ovpn --mac zz
ok "a --model that is none: usage" fails_with 2 phonevpn import ovpn old/first.ovpn --model D99
is "... nothing was changed" "$(state)" "$before"
ok "a file that is not there: not found" fails_with 3 phonevpn import ovpn nowhere.ovpn
ok "... with --quiet" fails_with 3 phonevpn --quiet import ovpn nowhere.ovpn
like "... the reason is told" "$(cat err)" "^nowhere.ovpn: error: No such file"
like "... and what came of it" "$(cat err)" "^phonevpn: nowhere.ovpn: cannot be taken over; nothing was imported$"
ok "... among others" fails_with 3 phonevpn import ovpn nowhere.ovpn old/first.ovpn elsewhere.ovpn
like "... counted" "$(cat err)" "^phonevpn: 2 of 3 files cannot be taken over; nothing was imported$"
ok "... as JSON" fails_with 3 phonevpn --json import ovpn nowhere.ovpn
is "... the reasons on standard output, the error on the other, one document each" \
	"$(jq -r '.findings[].rule' out) $(jq -r .error.code err)" "import-bundle-unreadable not_found"
ok "a file without a phone's thing in it" fails_with 1 phonevpn import ovpn pki/index.txt

# ---- what the present server may ask for ----
{
	sed 's/^auth SHA1/auth SHA256/; s/^remote vpn.example.com/remote old.example.com/' old/first.ovpn
	printf '<tls-auth>\nsecret\n</tls-auth>\n'
} >differs.ovpn
ok "a bundle that differs from the profile" phonevpn import ovpn differs.ovpn --json
is "... is told where" "$(jq -r '.findings[].text' out)" "remote: expected remote vpn.example.com 1194 as the profile has it, found remote old.example.com 1194
auth: expected auth SHA1 as the profile has it, found auth SHA256
tls-auth: expected nothing as the profile has it, found <tls-auth>"
is "... as its next generation" "$(jq -c '.imported[0] | [.mac, .generation]' out)" "[\"$one\",2]"
ok "the log is whole" phonevpn events --verify

# ---- a state of its own CA ----
export PHONEVPN_DIR=$T/own
phonevpn --quiet init --vpn-host vpn.example.com --url http://pbx.example.com --ca-bits 2048
phonevpn --quiet phone add $one --model D65
ok "a state with another CA: refused" fails_with 5 phonevpn import ovpn old/first.ovpn
phonevpn --quiet mint $one
phonevpn emit bundle $one >own.ovpn
ok "a bundle of its own" phonevpn import ovpn own.ovpn
is "... is the same again" "$(phonevpn emit md5 $one)" "$(md5sum <own.ovpn | cut -d' ' -f1)"
done_testing
