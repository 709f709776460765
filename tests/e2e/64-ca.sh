#!/bin/bash
# SPDX-License-Identifier: ISC
#
# From one CA to the next, step by step: what each step makes the server and the phones trust, as openssl sees it, and that a
# real OpenVPN server takes, at each step, the phones that have not come along yet. What would leave one behind is refused.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/netns.sh"

export PHONEVPN_DIR=$T/state
dir=$T/server
desk=000fd3006501
hall=000fd3006001
phonevpn --quiet init --vpn-host "$NETNS_SERVER" --url "http://$NETNS_SERVER" --org Lab --ca-bits 2048 || bail_out init
phonevpn --quiet config set vpn-user '' # so that a SIGHUP is enough
phonevpn --quiet phone add $desk --model D65
phonevpn --quiet phone add $hall --model D60
phonevpn --quiet mint --all || bail_out mint
phonevpn --quiet emit server --out "$dir" || bail_out "emit server"
cp "$dir/ca.crt" "$T/old.crt"
cp -r "$dir" "$T/untold" # the server to which nobody says anything any more
old=$(phonevpn --json ca list | jq -r '.[0].name')

# ca NAME FIELD: as "ca list" has it
ca() {
	phonevpn --json ca list | jq -r --arg name "$1" ".[] | select(.name == \$name) | .$2"
}
roles() {
	phonevpn --json ca list | jq -r 'map(.role) | join(" ")'
}
emits() {
	phonevpn --json emit server --out "$dir" >"$T/emit.json"
}
said() {
	jq -r "$1" "$T/emit.json"
}
# part NAME <BUNDLE: that block of it
part() {
	awk -v b="$1" '$0 == "</" b ">" { on = 0 } on { print } $0 == "<" b ">" { on = 1 }'
}
# block NAME MAC: of the bundle that the phone is offered
block() {
	phonevpn emit bundle "$2" | part "$1"
}
# trusting BUNDLE CERTIFICATE...: the bundle with these CAs
trusting() {
	sed '/^<ca>$/,/^<.ca>$/d' "$1"
	echo '<ca>'
	cat "${@:2}"
	echo '</ca>'
}
certificates() {
	grep -c 'BEGIN CERTIFICATE' "$1"
}
# split FILE KIND PREFIX: each PEM block into a file of its own
split() {
	awk -v kind="$2" -v out="$T/$3" '$0 ~ "BEGIN " kind { n++ } n { print >(out n) }' "$1"
}
# of ISSUER FILE: openssl finds it signed by that CA and no other
of() {
	openssl verify -x509_strict -CAfile "$T/$1.crt" "$2"
}
end() {
	date -u -d "$(openssl x509 -in "$1" -noout -enddate | cut -d= -f2)" +%Y-%m-%dT%H:%M:%SZ
}

# ---- one CA ----
is "one CA, which issues" "$(roles)" issuing
is "... by its subject, key, end and CRL, as openssl reads them" \
	"$(ca "$old" subject) $(ca "$old" key_bits) $(ca "$old" not_after) $(ca "$old" crl_number)" \
	"$(openssl x509 -in "$T/old.crt" -noout -subject -nameopt RFC2253 | sed 's/^subject=//') $(
	openssl x509 -in "$T/old.crt" -noout -text | sed -n 's/.*Public-Key: (\([0-9]*\) bit)/\1/p') $(
	end "$T/old.crt") $(($(openssl crl -in "$dir/crl.pem" -noout -crlnumber | cut -d= -f2)))"
is "... with the certificates that it has issued" "$(ca "$old" phones) $(ca "$old" servers)" "2 1"
like "... also for people" "$(phonevpn ca list)" "^issuing +$old +RSA 2048 .* 2 +1 +CN=$old,O=Lab$"
ok "it cannot be given up: conflict" fails_with 4 phonevpn ca drop "$old"
ok "an unknown one: not found" fails_with 3 phonevpn ca promote nobody
ok "a size that is none: usage" fails_with 2 phonevpn ca add --ca-bits 1024
ok "a life that is none: usage" fails_with 2 phonevpn ca add --days 0
ok "a name that is too long: refused" fails_with 1 phonevpn ca add --name "$(printf '%065d' 0)"
ok "its name once more: conflict" fails_with 4 phonevpn ca add --name "$old"
shouted=$(tr '[:lower:]' '[:upper:]' <<<"$old")
ok "one that differs in case only: conflict" fails_with 4 phonevpn ca add --name "$shouted" --ca-bits 2048
like "... with which OpenVPN would not start" "$(cat "$T/err")" "found that of \"$old\": OpenVPN's server does not start"
ok "a dry run" phonevpn --json ca add --dry-run --name "Lab two" --ca-bits 2048
is "... changes nothing" "$(jq -r .would_add "$T/out"): $(roles)" "Lab two: issuing"

# ---- the next one: only the server has it ----
md5=$(phonevpn emit md5 $desk)
ok "another CA" phonevpn ca add --name "Lab two" --ca-bits 2048 --days 5000
like "... says what the OpenVPN server needs" "$(cat "$T/out")" "^next: phonevpn emit server --out DIR, then send OpenVPN SIGHUP"
is "... the next one" "$(roles)" "issuing next"
ok "a third one: conflict" fails_with 4 phonevpn ca add --ca-bits 2048
emits
is "the server's files have it and its CRL" "$(said '.changed | join(" ")'; said .then)" "crl.pem ca.crt
reload"
split "$dir/ca.crt" CERTIFICATE ca.
split "$dir/crl.pem" "X509 CRL" crl.
mv "$T/ca.2" "$T/new.crt"
ok "... the old CA is the same" same_bytes "$T/ca.1" "$T/old.crt"
ok "... openssl finds it a CA" of new "$T/new.crt"
is "... of that name" "$(openssl x509 -in "$T/new.crt" -noout -subject -nameopt RFC2253)" "subject=CN=Lab two,O=Lab"
is "... that ends when it was asked to" "$(end "$T/new.crt" | cut -c1-10)" "$(date -u -d '+5000 days' +%Y-%m-%d)"
ok "... the first CRL is of the old CA" openssl crl -in "$T/crl.1" -CAfile "$T/old.crt" -noout
ok "... the second of the new one" openssl crl -in "$T/crl.2" -CAfile "$T/new.crt" -noout
unlike "... and of no other" "$(openssl crl -in "$T/crl.2" -CAfile "$T/old.crt" -noout 2>&1)" "verify OK"
ok "the server's certificate is the old one's" of old "$dir/server.crt"
is "phones have nothing to fetch" "$(phonevpn --json mint --all | jq -c '[(.minted | length), .unchanged]') $(phonevpn emit md5 $desk)" "[0,2] $md5"

# ---- it issues ----
ok "it is promoted: a dry run" phonevpn ca promote --dry-run "Lab two"
is "... changes nothing" "$(roles)" "issuing next"
ok "it is promoted" phonevpn --json ca promote "Lab two"
is "... and the old one is a former one" "$(jq -c . "$T/out") $(roles)" "{\"issuing\":\"Lab two\",\"former\":\"$old\"} former issuing"
ok "twice: conflict" fails_with 4 phonevpn ca promote "Lab two"
emits
is "the server has nothing to read" "$(said '(.changed | length), .then' | xargs)" "0 nothing"
ok "... its certificate is the old CA's still" of old "$dir/server.crt"
ok "the old one is needed: conflict" fails_with 4 phonevpn ca drop "$old"
like "... by the server, for one" "$(cat "$T/err")" "expected the server's certificate to be of another CA"
ok "nor can the server's move: conflict" fails_with 4 phonevpn server renew
like "... for these phones" "$(cat "$T/err")" "2 phones are offered bundles that do not trust the server's CA \($hall, $desk\)"
ok "... not even by a dry run" fails_with 4 phonevpn server renew --dry-run
ok "... but by force" phonevpn --json server renew --dry-run --force
is "... which counts them" "$(jq -c '[.ca, .moves, .stranded]' "$T/out")" '["Lab two",true,2]'

# ---- a phone after the other ----
block cert $hall >"$T/hall-old.pem"
phonevpn emit bundle $desk >"$T/desk-old.ovpn"
phonevpn emit bundle $hall >"$T/hall-old.ovpn"
ok "one phone" phonevpn --quiet mint $hall
block cert $hall >"$T/hall.pem"
block ca $hall >"$T/hall-ca.pem"
ok "... its certificate is of the new CA" of new "$T/hall.pem"
ok "... and not of the old one" fails_with 2 of old "$T/hall.pem"
is "... its bundle has both in one block, as an old OpenVPN needs it" \
	"$(cat "$T/hall-ca.pem") $(phonevpn emit bundle $hall | grep -c '^<ca>$')" "$(cat "$T/old.crt" "$T/new.crt") 1"
ok "... which is short enough for one" test "$(wc -c <"$T/hall-ca.pem")" -lt 10000
for which in hall-old hall; do
	ok "the server's files let $which.pem in, with its CRLs checked" openssl verify -crl_check -CAfile "$dir/ca.crt" \
		-CRLfile "$dir/crl.pem" -purpose sslclient "$T/$which.pem"
done
ok "the server's certificate waits for the other" fails_with 4 phonevpn server renew
like "... by name" "$(cat "$T/err")" "1 phone is offered a bundle that does not trust the server's CA \($desk\)"
cp -r "$T/state" "$T/forced"
ok "... unless it is forced" phonevpn --dir "$T/forced" server renew --force
like "... which says whom it leaves behind" "$(cat "$T/out")" "cannot connect once OpenVPN has read it: 1 phone is offered a bundle that does not trust .*\($desk\)"
ok "... and is on record" sh -c "phonevpn --dir '$T/forced' events | grep 'certificate.issue .*moved to CA \"Lab two\", 1 phones'"
ok "... as check finds them" fails_with 5 phonevpn --dir "$T/forced" check fleet
like "... by their profile" "$(cat "$T/out")" "^error: cert: expected a chain to a CA in <ca> of profile [0-9a-f]* of 1 phone, .*\[fleet-server-mismatch\]"
serial() {
	openssl x509 -in "$1" -noout -serial | cut -d= -f2 | tr A-F a-f
}
ok "its former certificate is revoked" phonevpn revoke --serial "$(serial "$T/hall-old.pem")"
emits
split "$dir/crl.pem" "X509 CRL" crl.
ok "... by the CRL of the CA that issued it" sh -c "openssl crl -in '$T/crl.1' -noout -text | grep -qi 'Serial Number: $(serial "$T/hall-old.pem")'"
like "... alone" "$(openssl crl -in "$T/crl.2" -noout -text)" "No Revoked Certificates"
ok "... and is kept out" fails_with 2 openssl verify -crl_check -CAfile "$dir/ca.crt" -CRLfile "$dir/crl.pem" "$T/hall-old.pem"
cp "$dir/crl.pem" "$T/both.pem"

# ---- the real server, up to here, from a copy of the state ----
tunnels=yes
if why=$(netns_missing); then
	diag "no tunnels here: $why"
	tunnels=
fi
reads_again() {
	: >"$T/openvpn.out"
	kill -HUP "$(pid_of openvpn)"
	wait_until 20 printed openvpn 'Initialization Sequence Completed'
}
serves() {
	spawn openvpn in_netns server sh -c "cd / && exec openvpn --config '$1/server.conf'"
	wait_until 20 printed openvpn 'Initialization Sequence Completed'
}
# as the phones' OpenVPN 2.3.2 does it
old_tls=(--tls-version-max 1.0 --tls-version-min 1.0 --tls-cipher "ECDHE-RSA-AES256-SHA:@SECLEVEL=0" --data-ciphers AES-256-CBC)
# dials NAME BUNDLE
dials() {
	[ -z "${spawned[$1]-}" ] || stop "$1"
	spawn "$1" in_netns "$1" openvpn --config "$T/$2.ovpn" --dev tun0 "${old_tls[@]}"
}
carries() {
	in_netns "$1" ping -q -c 2 -i 0.2 -s 1200 -W 5 10.8.0.1
}
connects() {
	dials "$@"
	wait_until 30 printed "$1" 'Initialization Sequence Completed' && wait_until 10 carries "$1"
}
if [ -n "$tunnels" ]; then
	{ netns_server && netns_phone desk && netns_phone hall; } || bail_out "namespaces"
	phonevpn emit bundle $hall >"$T/hall.ovpn"
	sed "s,$dir,$T/untold,g" "$dir/server.conf" >"$T/untold/server.conf"
	ok "a server that was not told of the next CA" serves "$T/untold"
	dials hall hall
	ok "... refuses the phone that comes with it" wait_until 30 printed openvpn "VERIFY ERROR: .*self-signed certificate in certificate chain: .*CN=Lab two"
	stop hall
	stop openvpn
	ok "the server of before" serves "$dir"
	spawn watch phonevpn watch --management "$dir/management/socket"
	ok "... is watched" wait_until 20 printed watch ': attached'
	ok "the old phone connects, with the bundle that it always had" connects desk desk-old
	ok "the new one as well, to the server's old certificate" connects hall hall
	trusting "$T/hall.ovpn" "$T/new.crt" "$T/old.crt" >"$T/turned.ovpn"
	ok "... also with its CAs the other way round" connects hall turned
	dials hall hall-old
	ok "... but not with what was revoked" wait_until 30 printed openvpn 'VERIFY ERROR: depth=0, error=certificate revoked'
	ok "... which it then does again" connects hall hall
	ok "the old phone never noticed" carries desk
else
	skip 9 "$why"
fi

# ---- the server's certificate ----
ok "the other phone" phonevpn --quiet mint $desk
phonevpn emit bundle $desk >"$T/desk.ovpn"
seen() {
	phonevpn --json phone show "$1" | jq -e ".session.generation == $2"
}
if [ -n "$tunnels" ]; then
	ok "... was seen with the bundle of before" wait_until 20 seen $desk 1
	ok "... so the server waits for it to come with the new one: conflict" fails_with 4 phonevpn server renew
	like "... by name" "$(cat "$T/err")" "1 phone was last seen on the VPN with a bundle that does not trust it \($desk\)"
	ok "... which it does" connects desk desk
	ok "... and is seen to" wait_until 20 seen $desk 2
else
	skip 5 "$why"
fi
ok "the server's certificate moves" phonevpn server renew
like "... which says whom it would leave behind" "$(cat "$T/out")" "a phone whose bundle does not have CA \"Lab two\" cannot connect once OpenVPN has read it: none that is known of"
like "... and what the server needs" "$(cat "$T/out")" "^next: phonevpn emit server --out DIR, then send OpenVPN SIGHUP"
ok "... and is on record" sh -c "phonevpn events | grep 'certificate.issue .*moved to CA \"Lab two\", 0 phones'"
emits
is "the server has it to read" "$(said '.changed | join(" ")'; said .then)" "server.crt
reload"
ok "... it is of the new CA" of new "$dir/server.crt"
ok "... for a server" openssl verify -purpose sslserver -CAfile "$T/new.crt" "$dir/server.crt"
ok "... phones take it by what they have" openssl verify -purpose sslserver -CAfile "$T/hall-ca.pem" "$dir/server.crt"
is "... with the key of before" "$(openssl x509 -in "$dir/server.crt" -noout -pubkey)" "$(openssl pkey -in "$T/untold/server.key" -pubout)"
phonevpn check fleet >"$T/check"
unlike "check finds no phone that it leaves behind" "$(cat "$T/check")" '^error|fleet-issuer-former|fleet-profile-old'
if [ -n "$tunnels" ]; then
	ok "the running server reads it" reads_again
	ok "... and both phones come back by themselves" wait_until 60 carries desk
	ok "... both" wait_until 60 carries hall
	ok "... or from the start" connects desk desk
	dials desk desk-old
	ok "with the bundle of before there would be no way" wait_until 30 printed desk 'VERIFY ERROR: depth=1.*CN=Lab two'
	ok "... as was said" connects desk desk
else
	skip 6 "$why"
fi

# ---- the old CA goes ----
ok "the old CA is dropped: a dry run" phonevpn ca drop --dry-run "$old"
ok "... changes nothing" test "$(roles)" = "former issuing"
ok "the old CA is dropped" phonevpn ca drop "$old"
like "... and says what the server needs" "$(cat "$T/out")" "^next: phonevpn emit server --out DIR, then send OpenVPN SIGHUP"
is "... for good" "$(roles)" "dropped issuing"
ok "... twice: conflict" fails_with 4 phonevpn ca drop "$old"
emits
is "the server's files have the new one only" "$(said '.changed | join(" ")') $(certificates "$dir/ca.crt") $(grep -c BEGIN "$dir/crl.pem")" "crl.pem ca.crt 1 1"
ok "... that one" same_bytes "$dir/ca.crt" "$T/new.crt"
ok "... and its CRL" openssl crl -in "$dir/crl.pem" -CAfile "$T/new.crt" -noout
is "... as 'crl' prints it" "$(phonevpn crl)" "$(cat "$dir/crl.pem")"
ok "a certificate of it cannot be revoked any more: conflict" fails_with 4 phonevpn revoke --serial "$(
	part cert <"$T/desk-old.ovpn" | openssl x509 -noout -serial | cut -d= -f2)"
if [ -n "$tunnels" ]; then
	ok "the running server reads it" reads_again
	ok "... and both phones come back" wait_until 60 carries desk
	ok "... both" wait_until 60 carries hall
	trusting "$T/desk-old.ovpn" "$T/new.crt" >"$T/gone.ovpn"
	dials hall gone
	ok "a certificate of the old CA is unknown" wait_until 30 printed openvpn "VERIFY ERROR: depth=0, error=unable to get local issuer certificate: .*CN=$desk"
else
	skip 4 "$why"
fi
ok "a bundle of it cannot be taken over any more" fails_with 5 phonevpn import ovpn "$T/desk-old.ovpn"
like "... as no CA of now has signed it" "$(cat "$T/err")" "expected a certificate that a CA of this state has signed"
ok "bundles without it" phonevpn --quiet mint --all
block ca $desk >"$T/desk-ca.pem"
ok "... trust the new one only" same_bytes "$T/desk-ca.pem" "$T/new.crt"
is "... by the certificate of before" "$(block cert $desk | openssl x509 -noout -serial)" "$(part cert <"$T/desk.ovpn" | openssl x509 -noout -serial)"
if [ -n "$tunnels" ]; then
	phonevpn emit bundle $desk >"$T/last.ovpn"
	ok "... and connect" connects desk last
	ok "the watcher still lives" lives watch
else
	skip 2 "$why"
fi
ok "check finds nothing wrong" phonevpn check fleet
ok "a phone is removed without the old CA's CRL" phonevpn --json phone remove $hall
is "... its certificate of the new one is revoked" "$(jq .revoked "$T/out")" 1
phonevpn --quiet init --dir "$T/second" --vpn-host "$NETNS_SERVER" --url "http://$NETNS_SERVER" --ca-bits 2048
phonevpn --dir "$T/second" --quiet ca add --name mistake --ca-bits 2048
ok "one that was made by mistake can go" phonevpn --dir "$T/second" --quiet ca drop mistake
ok "... and another be made" phonevpn --dir "$T/second" ca add --ca-bits 2048
like "... where OpenVPN becomes another user, it has to be restarted" "$(cat "$T/out")" "^next: .*then restart OpenVPN;"
phonevpn --dir "$T/second" --quiet ca drop "$(phonevpn --dir "$T/second" --json ca list | jq -r '.[-1].name')"
phonevpn --dir "$T/second" --quiet ca add --name short --days 5 --ca-bits 2048
ok "a next one that ends soon: critical" fails_with 2 phonevpn --dir "$T/second" health
like "... with what it is for" "$(cat "$T/out")" "CRITICAL - the CA certificate of short ends in [45] days, at .*: it serves no phone yet"
phonevpn --dir "$T/second" --quiet ca drop short
ok "... and nobody cares once it is dropped" phonevpn --dir "$T/second" health
done_testing
