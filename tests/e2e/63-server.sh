#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The server's folder over its life: what a second "emit server" writes, what the running server has to be told, fixed
# addresses, both ways to revoke, a renewed server certificate, and Debian's unit. The tunnels are real.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/netns.sh"

export PHONEVPN_DIR=$T/state
phonevpn --quiet init --vpn-host "$NETNS_SERVER" --url "http://$NETNS_SERVER" --ca-bits 2048 || bail_out init
dir=$T/server
desk=000fd3006501
hall=000fd3006001

# emits [OPTION...]: into $T/emit.json
emits() {
	phonevpn --json emit server --out "$dir" "$@" >"$T/emit.json"
}
said() {
	jq -r "$1" "$T/emit.json"
}
listing() {
	find "$dir" -type f -printf '%P %i %T@ %m\n' | sort
}
names_in() {
	find "$1" -mindepth 1 -printf '%f\n' | sort | xargs
}
shown() {
	openssl x509 -in "$dir/server.crt" -noout -serial | sed 's/.*=//' | tr A-F a-f
}
serial_of() {
	phonevpn --json phone show "$1" | jq -r .serial
}
address_of() {
	phonevpn --json phone show "$1" | jq -r .vpn_address
}

# ---- the folder ----
ok "a folder without a name: usage" fails_with 2 phonevpn emit server --out ""
like "... which says so" "$(cat "$T/err")" "^phonevpn: --out: expected DIR behind it, found an empty name$"
ok "a dry run" emits --dry-run
ok "... makes nothing" test ! -e "$dir"
is "... and says what it would make" "$(said '.changed | join(" ")')" "crl.pem ca.crt server.crt server.key server.conf"
ok "the folder is made" emits
is "... new" "$(said '.new, .then' | xargs)" "true restart"
is "... the key is the owner's only, so is the management socket's folder" \
	"$(stat -c %a "$dir"/server.{conf,crt,key} "$dir"/{ca.crt,crl.pem,ccd,crl,management} | xargs)" "644 644 600 644 644 755 755 700"
ok "... the certificate is a server's, of that CA" openssl verify -purpose sslserver -CAfile "$dir/ca.crt" "$dir/server.crt"
unlike "without phones nothing is weakened" "$(grep -v '^#' "$dir/server.conf")" 'SECLEVEL|CBC|tls-version-min 1\.0|legacy|compat'
listing >"$T/before"
ok "a second time" emits
is "... changes nothing" "$(said '(.changed, .removed | length), .then' | xargs)" "0 0 nothing"
is "... and touches no file" "$(listing)" "$(cat "$T/before")"

ok "a first phone" phonevpn --quiet phone add $desk --model D65
ok "... is written" emits
is "... its file, and what its OpenVPN needs" "$(said '.changed | join(" ")')" "server.conf ccd/$desk"
is "... for which the server has to be restarted" "$(said .then)" restart
like "... each weakening with the model that needs it" "$(grep -B 2 '^tls-version-min 1.0' "$dir/server.conf")" '^# D65: '
is "its address" "$(address_of $desk) $(tail -n 1 "$dir/ccd/$desk")" "10.8.0.2 ifconfig-push 10.8.0.2 255.255.0.0"
ok "another model" phonevpn --quiet phone add $hall --model D60 --vpn-address 10.8.7.7
ok "... is written" emits
is "... a comment and a file, of which the running server needs not be told" \
	"$(said '.changed | join(" ")'; said .then)" "server.conf ccd/$hall
nothing"
is "its address by hand" "$(tail -n 1 "$dir/ccd/$hall")" "ifconfig-push 10.8.7.7 255.255.0.0"
ok "an address that another phone has: conflict" fails_with 4 phonevpn phone set $desk --vpn-address 10.8.7.7
ok "the server's own: usage" fails_with 2 phonevpn phone set $desk --vpn-address 10.8.0.1
ok "the pool's: usage" fails_with 2 phonevpn phone set $desk --vpn-address 10.8.255.1
ok "another network" phonevpn --json config set vpn-network 10.9.0.0/20
is "... keeps the phones' places" "$(jq -c '[.kept, .moved]' "$T/out") $(address_of $desk) $(address_of $hall)" "[2,0] 10.9.0.2 10.9.7.7"
ok "one that is too small for a place" phonevpn --json config set vpn-network 10.9.0.0/29
is "... moves that one" "$(jq -c '[.kept, .moved]' "$T/out") $(address_of $desk) $(address_of $hall)" "[1,1] 10.9.0.2 10.9.0.3"
ok "the last address" phonevpn --quiet phone add 000fd3006502 --model D65
ok "a full network: conflict" fails_with 4 phonevpn phone add 000fd3006503 --model D65
like "... with what to do" "$(cat "$T/err")" "10.9.0.0/29: expected 1 free address.*config set vpn-network"
printf 'mac,model\n000fd3006503,D65\n000fd3006504,D65\n000fd3007001,D70\n' >"$T/more.csv"
ok "... for a fleet as well" fails_with 4 phonevpn phone import "$T/more.csv"
is "... of which nothing is there" "$(phonevpn --json phone list | jq length)" 3
ok "a phone that has no OpenVPN needs none" phonevpn --quiet phone add 000fd3007001 --model D70
ok "back" phonevpn --quiet config set vpn-network 10.8.0.0/16

ok "certificates" phonevpn --quiet mint --all
emits
ok "revoke" phonevpn --quiet revoke $hall
ok "... is written" emits
decimal=$(perl -MMath::BigInt -e 'print Math::BigInt->from_hex($ARGV[0])->bstr' "$(serial_of $hall)")
is "... as CRL and as serial, of which the running server needs not be told" \
	"$(said '.changed | sort | join(" ")'; said .then)" "crl.pem crl/$decimal server.conf
nothing"
ok "... and openssl takes the CRL" openssl crl -in "$dir/crl.pem" -CAfile "$dir/ca.crt" -noout
ok "remove" phonevpn --quiet phone remove $hall
echo "push \"route 192.0.2.0 255.255.255.0\"" >"$dir/ccd/laptop"
ok "... is written" emits
is "... the phone's file goes, another client's stays" "$(said '.removed | join(" ")') $(names_in "$dir/ccd")" \
	"ccd/$hall $desk 000fd3006502 laptop"
cp "$dir/ccd/laptop" "$dir/ccd/$desk"
ok "somebody's own file for a phone: conflict" fails_with 4 emits
like "... which is named" "$(cat "$T/err")" "ccd/$desk: expected phonevpn's own file or none, found another: .* everything else is written"
ok "... and stays" same_bytes "$dir/ccd/laptop" "$dir/ccd/$desk"
is "... for programs, too" "$(said '.foreign | join(" ")')" "ccd/$desk"
rm "$dir/ccd/000fd3006502"
phonevpn config set vpn-auth SHA512
ok "another setting: conflict" fails_with 4 emits
is "... with all the rest written" "$(said '.changed | sort | join(" ")'; said .then)" "ccd/000fd3006502 server.conf
restart"
ok "... which it is" grep -q '^auth SHA512$' "$dir/server.conf"
ok "... and told once" fails_with 4 emits
is "... as that is done" "$(said '.changed | length'; said .then)" "0
nothing"
phonevpn config set vpn-auth SHA1
rm "$dir/ccd/$desk"
emits
mkdir "$T/other"
echo 'port 1194' >"$T/other/server.conf"
ok "somebody's own server: conflict" fails_with 4 phonevpn emit server --out "$T/other"
is "... which stays" "$(names_in "$T/other")" server.conf
rm "$T/other/server.conf"
echo KEY >"$T/other/server.key"
ok "somebody's own key without a server.conf: conflict" fails_with 4 phonevpn emit server --out "$T/other"
is "... which stays" "$(cat "$T/other/server.key")" KEY
mv "$dir/ccd" "$dir/ccd.away"
echo "no folder" >"$dir/ccd"
phonevpn config set vpn-auth SHA512
ok "a run that fails" fails_with 4 emits
rm "$dir/ccd"
mv "$dir/ccd.away" "$dir/ccd"
ok "... and the next one" emits
is "... says what the running server has to be told" "$(said .then)" restart
ok "one that stops before its last file" sh -c "phonevpn config set vpn-auth SHA1; echo restart >'$dir/.phonevpn.then'; phonevpn --json emit server --out '$dir' >/dev/null"
ok "... is over" test ! -e "$dir/.phonevpn.then"
echo restart >"$dir/.phonevpn.then"
emits
is "what a run before had to tell is told" "$(said .then)" restart
emits
is "... once" "$(said .then)" nothing
ok "a phone is revoked" phonevpn --quiet revoke 000fd3006502
echo mine >"$dir/ccd/$desk"
ok "... and something is in the way" fails_with 4 emits
ok "... its revocation holds" test -e "$dir/crl/$(perl -MMath::BigInt -e 'print Math::BigInt->from_hex($ARGV[0])->bstr' "$(phonevpn --json phone show 000fd3006502 | jq -r '.generations[-1].serial')")"
is "... in the CRL, too" "$(openssl crl -in "$dir/crl.pem" -noout -text | grep -c 'Serial Number')" 2
rm "$dir/ccd/$desk"
phonevpn --quiet mint --rekey 000fd3006502
chmod 700 "$dir/crl" "$dir/ccd"
chmod 777 "$dir/management"
emits
is "folders that the dropped user could not read, or everybody could write" "$(stat -c %a "$dir/crl" "$dir/ccd" "$dir/management" | xargs)" "755 755 700"
rmdir "$dir/management"
ln -s "$T/other" "$dir/management"
ok "a symlink in a folder's place: conflict" fails_with 4 emits
rm "$dir/management"
emits
chmod 644 "$dir/server.key"
ok "a key that others could read" phonevpn --quiet emit server --out "$dir"
like "... is told of, with its mode" "$(cat "$T/err")" "server.key: expected mode 0600, found 0644: others could read"
is "... is closed again" "$(stat -c %a "$dir/server.key")" 600

phonevpn config set vpn-lzo yes
phonevpn --quiet mint $desk
ok "phones with comp-lzo, and one without" phonevpn emit server --out "$dir"
like "... are told to be for OpenVPN 2.6 and later" "$(cat "$T/err")" "with comp-lzo and without: .*server.conf expects OpenVPN 2.6 or later"
phonevpn --quiet mint --all
ok "all of them with comp-lzo" phonevpn emit server --offered --out "$dir"
unlike "... are for older ones, too" "$(cat "$T/err"; cat "$dir/server.conf")" "2.6 or later, which|^compress"
phonevpn config set vpn-lzo no
phonevpn --quiet mint --all

ok "another cipher" phonevpn config set vpn-cipher BF-CBC
ok "... in the phones' bundles" phonevpn --quiet mint --all
emits
like "... and those that they may still have" "$(cat "$dir/server.conf")" '^data-ciphers .*:BF-CBC.*:AES-256-CBC$|^data-ciphers .*:AES-256-CBC.*:BF-CBC$'
emits --offered
unlike "... unless they have fetched them" "$(grep ^data-ciphers "$dir/server.conf")" 'AES-256-CBC'
ok "another protocol and digest" sh -c 'phonevpn config set vpn-auth SHA256 && phonevpn config set vpn-cipher AES-256-CBC'
ok "... that phones may not have yet" phonevpn emit server --out "$dir"
like "... is said" "$(cat "$T/err")" "say another auth than SHA256"
phonevpn config set vpn-auth SHA1
port=$(phonevpn config get vpn-port)
phonevpn config set vpn-port 4711
ok "another port" emits
like "... is said as well" "$(cat "$T/err")" "not for port 4711: those phones find no server"
phonevpn config set vpn-port "$port"
emits

# ---- a folder of before there were addresses ----
cp -r "$T/state" "$T/old"
sqlite3 "$T/old/phonevpn.db" 'DROP TABLE hosts; DROP TABLE key_pool; DROP TABLE enroll_phones;
	DROP TABLE enroll_window; DROP TABLE provisioned; DROP TABLE ladder; DROP TABLE vpn_sessions;
	DROP TABLE rollout_phones; DROP TABLE rollouts; DROP TABLE barred; ALTER TABLE authorities DROP COLUMN role;
	PRAGMA user_version = 1'
ok "version 1: the phones are given addresses" phonevpn --dir "$T/old" --json emit server --out "$T/old.server"
is "... both that can use one" "$(jq .assigned "$T/out") $(names_in "$T/old.server/ccd")" "2 $desk 000fd3006502"

# ---- the server's certificate ----
ok "renewed" phonevpn --json server renew
second=$(jq -r .serial "$T/out")
is "... with the same key" "$(openssl x509 -in "$dir/server.crt" -noout -pubkey | md5sum)" \
	"$(emits; openssl x509 -in "$dir/server.crt" -noout -pubkey | md5sum)"
is "... needs a restart: OpenVPN is nobody by now" "$(said '.changed | join(" ")'; said .then)" "server.crt
restart"
phonevpn config set vpn-user ''
emits
is "... so does another user" "$(said .then)" restart
ok "a new key" phonevpn --quiet server renew --rekey
emits
is "... is read at SIGHUP by an OpenVPN that has stayed root" "$(said '.changed | join(" ")'; said .then)" "server.crt server.key
reload"
phonevpn config set vpn-user nobody:nogroup
is "all of them are known" "$(phonevpn --json server show | jq -r 'map(.state) | join(" ")')" "former former current"
phonevpn config set server-days 36500
ok "up to the CA's end" phonevpn --quiet server renew
ok "... and not beyond: conflict" fails_with 4 phonevpn server renew
like "... with the reason" "$(cat "$T/err")" "a new certificate would end with it; the phones need a new CA"
ok "the log has them" sh -c "phonevpn events | grep 'certificate.issue *$second *server'"

# ---- tunnels ----
if why=$(netns_missing); then
	diag "no tunnels here: $why"
	done_testing
	exit
fi
{ netns_server && netns_phone d65; } || bail_out "namespaces"
cat >"$T/serial.sh" <<SCRIPT
#!/bin/sh
[ "\$1" != 0 ] || echo "\$tls_serial_hex_0" | tr -d : >"$T/seen"
SCRIPT
chmod +x "$T/serial.sh"

serves() {
	spawn openvpn in_netns server sh -c "cd / && exec openvpn --config '$dir/server.conf'"
	wait_until 20 printed openvpn 'Initialization Sequence Completed'
}
# connects OPTION...: the phone's bundle; $T/seen holds the serial that the server showed
connects() {
	[ -z "${spawned[phone]-}" ] || stop phone
	spawn phone in_netns d65 openvpn --config "$T/desk.ovpn" --dev tun0 --script-security 2 \
		--tls-verify "$T/serial.sh" "$@"
	wait_until 30 printed phone 'Initialization Sequence Completed'
}
old=(--tls-version-max 1.0 --tls-version-min 1.0 --tls-cipher "ECDHE-RSA-AES256-SHA:@SECLEVEL=0" --data-ciphers AES-256-CBC)
address() {
	ip -n "$(netns_name d65)" -4 -o address show dev tun0 | awk '{ print $4 }'
}
phonevpn --quiet mint $desk
phonevpn emit bundle $desk >"$T/desk.ovpn"
sed 's/^remote-cert-tls server$/ns-cert-type server/' "$T/desk.ovpn" >"$T/ns.ovpn"
emits
ok "the server starts" serves
is "... and becomes nobody" "$(ps -o user= -p "$(pid_of openvpn)")" nobody
ok "... with a management socket" sh -c "echo 'status 2' | timeout 5 nc -N -U '$dir/management/socket' | grep -q '^HEADER'"
ok "a phone connects" connects
is "... with its address" "$(address)" "10.8.0.2/16"
current=$(shown)
is "... to the server's certificate of now" "$(cat "$T/seen")" "$current"
ok "one more certificate" phonevpn --quiet config set server-days 30
phonevpn --quiet server renew --rekey
emits
stop openvpn
ok "the server with it" serves
renewed=$(shown)
ok "the bundle of before connects" connects "${old[@]}"
is "... to the new certificate" "$(cat "$T/seen") $([ "$renewed" != "$current" ] && echo new)" "$renewed new"
mv "$T/ns.ovpn" "$T/desk.ovpn"
ok "... with ns-cert-type, too" connects "${old[@]}"
is "... to the new certificate" "$(cat "$T/seen")" "$renewed"
is "... and its old address" "$(address)" "10.8.0.2/16"
ok "another address, of which the running server is not told" phonevpn --quiet phone set $desk --vpn-address 10.8.3.4
emits
ok "... is the phone's at its next login" connects
is "... that one" "$(address)" "10.8.3.4/16"
mv "$dir/ccd/$desk" "$T/ccd"
ok "a phone of which the server has not been told yet" connects
is "... gets one of the pool" "$(address)" "10.8.254.255/16"
mv "$T/ccd" "$dir/ccd/$desk"
ok "revoked, of which the running server is not told" phonevpn --quiet revoke $desk
emits
is "... in its folder" "$(said '.changed[0]'; said .then)" "crl.pem
nothing"
refused() {
	[ -z "${spawned[phone]-}" ] || stop phone
	spawn phone in_netns d65 openvpn --config "$T/desk.ovpn" --dev tun0
	wait_until 20 printed openvpn "$1"
}
ok "... keeps it out" refused 'VERIFY ERROR: depth=0, error=certificate revoked'
stop openvpn
phonevpn config set vpn-crl dir
emits
is "by serials: a restart" "$(said .then)" restart
ok "the server starts" serves
ok "... and keeps it out" refused "VERIFY CRL: depth=0.*serial=[0-9]* is revoked"
stop phone
stop openvpn

# ---- Debian's unit, by its own command line and capabilities ----
unit=/lib/systemd/system/openvpn-server@.service
if [ -e "$unit" ]; then
	command=$(sed -n "s,^ExecStart=,,p" "$unit" | sed "s,%t/openvpn-server,$T/run,g; s,%i,server,g")
	caps=$(sed -n 's/^CapabilityBoundingSet=//p' "$unit" | tr 'A-Z ' 'a-z,' | sed 's/cap_/+/g')
	mkdir "$T/run"
	diag "$command"
	spawn openvpn in_netns server sh -c "cd '$dir' && exec setpriv --bounding-set '-all,$caps' $command"
	ok "Debian's openvpn-server@server starts" wait_until 20 printed openvpn 'Initialization Sequence Completed'
	phonevpn --quiet mint $desk --rekey
	phonevpn emit bundle $desk >"$T/desk.ovpn"
	ok "... and a phone with a new key connects" connects "${old[@]}"
	is "... with its address" "$(address)" "10.8.3.4/16"
	ok "... the server writes its status where the unit says" test -s "$T/run/status-server.log"
	stop phone
	ok "... and ends when told to" stop openvpn
else
	skip 5 "no unit openvpn-server@.service"
fi
done_testing
