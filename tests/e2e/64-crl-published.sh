#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Where phonevpn knows the OpenVPN server's folder, a revocation and a renewed CRL are in it without another command, and the
# running server goes by them; as openssl reads them.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/netns.sh"

export PHONEVPN_DIR=$T/state
dir=$T/server
desk=000fd3006501
hall=000fd3006001
home=000fd3006201
phonevpn --quiet init --vpn-host "$NETNS_SERVER" --url http://127.0.0.1:1 --ca-bits 2048 || bail_out init
for phone in $desk:D65 $hall:D60 $home:D62; do
	phonevpn --quiet phone add "${phone%:*}" --model "${phone#*:}"
done
phonevpn --quiet mint --all || bail_out mint
for phone in $desk $hall $home; do
	phonevpn emit bundle "$phone" >"$T/$phone.ovpn"
done
phonevpn --quiet emit server --out "$dir"
serial_of() {
	sed -n '/^<cert>$/,/^<.cert>$/p' "$T/$1.ovpn" | openssl x509 -noout -serial | sed 's/.*=//'
}
# crl_has MAC [FILE]: as openssl reads the CRL
crl_has() {
	openssl crl -in "${2:-$dir/crl.pem}" -noout -text | grep -q "Serial Number: $(serial_of "$1")"
}
dir_has() {
	test -e "$dir/crl/$(perl -MMath::BigInt -e 'print Math::BigInt->from_hex($ARGV[0])' "$(serial_of "$1")")"
}

# ---- where it is not known, or wrong ----
ok "no folder: not found" fails_with 3 phonevpn crl --publish
ok "both: usage" fails_with 2 phonevpn crl --publish --out "$T/crl.pem"
ok "a relative one is refused" fails_with 2 phonevpn config set server-dir server
mkdir "$T/other"
ok "one that 'emit server' has not written" phonevpn config set server-dir "$T/other"
ok "... is not written to" fails_with 3 phonevpn crl --publish
is "... at all" "$(ls -A "$T/other")" ""
ok "the folder" phonevpn config set server-dir "$dir"

# ---- a revocation ----
inode() {
	stat -c '%i %s %Y' "$dir/crl.pem"
}
before=$(inode)
ok "nothing to be done" phonevpn crl --publish
is "... leaves the file as it is" "$(inode)" "$before"
ok "a phone is revoked" phonevpn revoke $desk
like "... and nothing is left to be done" "$(cat "$T/out")" "the OpenVPN server's folder has it"
ok "the CRL there has it" crl_has $desk
ok "... and not the others" fails_with 1 crl_has $hall
ok "the folder of serials, too" dir_has $desk
ok "... and not the others" fails_with 1 dir_has $hall
is "all may read them" "$(stat -c %a "$dir/crl.pem" "$dir/crl" "$dir/crl/"* | sort -u | xargs)" "644 755"
like "it is the CA's" "$(openssl crl -in "$dir/crl.pem" -CAfile "$dir/ca.crt" -noout 2>&1)" "verify OK"
# Of the same size, within the same second: OpenVPN would not look again.
touch -d '@2000000000' "$dir/crl.pem"
size=$(stat -c %s "$dir/crl.pem")
ok "a new one" phonevpn crl --renew --publish
[ "$(stat -c %s "$dir/crl.pem")" = "$size" ] || diag "its size is another, so its time need not be"
ok "... is another by size or second" sh -c "[ \"\$(stat -c '%s %Y' '$dir/crl.pem')\" != '$size 2000000000' ]"
ok "a phone is removed" phonevpn phone remove $home
unlike "... and nothing is left to be done" "$(cat "$T/out")" "emit server"
ok "the CRL there has it" crl_has $home
chattr +i "$dir" 2>/dev/null && {
	ok "a folder that cannot be written to" fails_with 1 phonevpn revoke $hall
	like "... is told of" "$(cat "$T/err")" "revoked, but the OpenVPN server does not know"
	chattr -i "$dir"
	ok "... the next that writes there makes up for it" phonevpn crl --publish
	ok "... with all that was revoked" crl_has $hall
	phonevpn --quiet mint $hall --rekey
	phonevpn emit bundle $hall >"$T/$hall.ovpn"
}

# ---- serve ----
age() {
	sqlite3 "$T/state/phonevpn.db" "UPDATE authorities SET crl_this_update = unixepoch() - 864000, crl_next_update = unixepoch() + $1"
}
number() {
	openssl crl -in "$dir/crl.pem" -noout -crlnumber
}
spawn serve phonevpn serve --listen 127.0.0.1:0
ok "serve" wait_until 10 printed serve 'listening on'
before=$(number)
age 500000
ok "half the life of the CRL is over: serve renews it" wait_until 30 sh -c "[ \"\$(openssl crl -in '$dir/crl.pem' -noout -crlnumber)\" != '$before' ]"
like "... which it says" "$(cat "$T/serve.err")" "a CRL was renewed"
rm "$dir/crl.pem"
phonevpn --quiet mint --renew --rekey $hall
phonevpn config set server-dir ""
ok "revoked while the folder is not known" phonevpn revoke $hall
like "... says what is to be done" "$(cat "$T/out")" "does not know yet"
ok "when it is known again" phonevpn config set server-dir "$dir"
ok "... serve brings it there" wait_until 30 crl_has $hall
stop serve
before=$(number)
age 900000
phonevpn crl --publish
is "with more than half before it, it stays" "$(number)" "$before"
age 500000
phonevpn crl --publish
unlike "... else the timer's command renews it" "$(number)" "^$before$"

# ---- two CAs ----
if phonevpn ca add --help >"$T/help" 2>&1; then
	ok "a second CA" phonevpn ca add --name "Next CA"
	ok "... published" phonevpn crl --publish
	is "... with a CRL of each" "$(grep -c 'BEGIN X509 CRL' "$dir/crl.pem")" 2
	csplit -s -z -f "$T/part." "$dir/crl.pem" '/BEGIN X509 CRL/' '{*}'
	is "... by two issuers" "$(for part in "$T"/part.*; do openssl crl -in "$part" -noout -issuer; done | sort -u | wc -l)" 2
fi

# ---- a running server ----
if why=$(netns_missing); then
	diag "no tunnels here: $why"
	done_testing
	exit
fi
phonevpn --quiet mint --rekey $desk $hall
for phone in $desk $hall; do
	phonevpn emit bundle "$phone" >"$T/$phone.ovpn"
done
for how in file dir; do
	phonevpn config set vpn-crl $how
	phonevpn --quiet emit server --out "$dir"
	[ $how = file ] && { netns_server && netns_phone desk; }
	spawn openvpn in_netns server sh -c "cd / && exec openvpn --config '$dir/server.conf'"
	ok "the server starts, with a CRL as a $how" wait_until 20 printed openvpn 'Initialization Sequence Completed'
	[ $how = file ] && mac=$desk || mac=$hall
	spawn desk in_netns desk openvpn --config "$T/$mac.ovpn" --dev tun0
	ok "a phone connects" wait_until 30 printed desk 'Initialization Sequence Completed'
	stop desk
	ok "it is revoked" phonevpn --quiet revoke "$mac"
	spawn desk in_netns desk openvpn --config "$T/$mac.ovpn" --dev tun0
	[ $how = file ] && refusal='error=certificate revoked' || refusal='is revoked'
	ok "... and refused by the same server" wait_until 30 printed openvpn "$refusal"
	ok "... for good" fails_with 1 printed desk 'Initialization Sequence Completed'
	stop desk
	stop openvpn
done
ok "the log is whole" phonevpn events --verify
done_testing
