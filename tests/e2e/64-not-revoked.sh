#!/bin/bash
# SPDX-License-Identifier: ISC
#
# A stolen phone whose certificate is revoked, and servers that let it in all the same, each with the real OpenVPN: "check"
# has to say so of every one of them, and of none that keeps it out.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/netns.sh"
. "$(dirname "$0")/pki.sh"

why=$(netns_missing) && skip_all "$why"
command -v easyrsa >/dev/null || bail_out "no easyrsa"
{ netns_server && netns_phone thief; } || bail_out "namespaces"
# The user that a server becomes has to come this far.
chmod 711 "$T"
export PHONEVPN_DIR=$T/state
stolen=000fd3006501 desk=000fd3006001 spare=000fd3006002
phonevpn --quiet init --vpn-host "$NETNS_SERVER" --url "http://$NETNS_SERVER" --ca-bits 2048 || bail_out init
for mac in $stolen $desk $spare; do phonevpn --quiet phone add "$mac" --model D65 || bail_out phone; done
phonevpn --quiet mint --all || bail_out mint
phonevpn emit bundle $stolen >"$T/stolen.ovpn"
cp "$T/stolen.ovpn" "$T/thief.ovpn"

emits() {
	phonevpn --quiet emit server --out "$T/server"
}
# changed SCRIPT...: the emitted server.conf with sed's changes, as $T/server/changed.conf
changed() {
	sed "$@" "$T/server/server.conf" >"$T/server/changed.conf"
}
# tries CONF: in, out or dead: what a server with that file makes of the thief
tries() {
	spawn openvpn in_netns server openvpn --cd "$T/server" --config "$1"
	if ! wait_until 20 printed openvpn 'Initialization Sequence Completed'; then
		stop openvpn
		echo dead
		return
	fi
	spawn thief in_netns thief openvpn --config "$T/thief.ovpn" --connect-retry 1 1
	wait_until 20 settled
	if printed thief 'Initialization Sequence Completed' >"$T/said"; then echo in; else echo out; fi
	stop thief
	stop openvpn
}
settled() {
	printed thief 'Initialization Sequence Completed' || printed openvpn "VERIFY ERROR|VERIFY CRL|is revoked|'disable' directive|client-config-dir authentication failed"
}
# found CONF: what both commands say of it, which has to be the same
found() {
	local server fleet
	server=$(phonevpn check server "$T/server/$1" --fleet --format json | jq -c '[.findings[] | select(.rule == "server-not-revoked")]')
	fleet=$(phonevpn check fleet --server "$T/server/$1" --format json | jq -c '[.findings[] | select(.rule == "server-not-revoked")]')
	[ "$server" = "$fleet" ] || echo "check server: $server, check fleet: $fleet"
	jq -r '.[].text' <<<"$fleet"
}
# lets_in WHAT CONF TEXT
lets_in() {
	is "$1: the thief is in" "$(tries "$2")" in
	like "... and that is found, once" "$(found "$2")" "^$3$"
	is "... as an error" "$(phonevpn --json check server "$T/server/$2" --fleet | jq -r '.ok')" false
}
# keeps_out WHAT CONF
keeps_out() {
	is "$1: the thief stays out" "$(tries "$2")" out
	is "... and nothing is found" "$(found "$2")" ""
}

# by_name WHAT CONF: nobody is in, but for the name only
by_name() {
	local said
	is "$1: the thief stays out" "$(tries "$2")" out
	is "... and that is no error" "$(found "$2")" ""
	said=$(phonevpn check server "$T/server/$2" --fleet --format json)
	is "... but a warning" "$(jq -r '.findings[] | select(.rule == "server-revoked-by-name") | .severity' <<<"$said")" warning
}

ok "emit server" emits
is "before the theft the phone is let in" "$(tries server.conf)" in
is "... and nothing is found" "$(found server.conf)" ""
cp "$T/server/crl.pem" "$T/server/old.pem"
serial=$(phonevpn --json phone show $stolen | jq -r .serial)
decimal=$(perl -MMath::BigInt -e 'print Math::BigInt->from_hex($ARGV[0])->bstr' "$serial")
ok "it is stolen, and revoked" phonevpn revoke $stolen
whose="1 revoked certificate, of $stolen, serial $serial"

lets_in "a server that has not got the new CRL" server.conf "$whose: expected their serials in the CRL, found them missing"
emits
keeps_out "as emitted, with the CRL" server.conf
changed 's/^crl-verify .*/crl-verify old.pem/'
lets_in "a CRL of before" changed.conf "$whose: .* in the CRL, found them missing"
changed '/^crl-verify /d'
lets_in "no crl-verify" changed.conf "$whose: expected crl-verify, found none"

# ---- turned down by name ----
mkdir "$T/server/by-name"
by_name=(-e 's/^crl-verify .*/crl-verify old.pem/' -e 's/^client-config-dir .*/client-config-dir by-name/')
changed "${by_name[@]}"
lets_in "no client-config file, and a CRL of before" changed.conf "$whose: .* in the CRL, found them missing"
echo disable >"$T/server/by-name/$stolen"
by_name "disable" changed.conf
changed "${by_name[@]}" -e '/^crl-verify /d'
by_name "disable, and no crl-verify" changed.conf
changed "${by_name[@]}" -e 's/^user .*/user nobody/'
chmod 600 "$T/server/by-name/$stolen"
lets_in "disable in a file that the server's user cannot read" changed.conf "$whose: .* in the CRL, found them missing"
chmod 644 "$T/server/by-name/$stolen"
changed "${by_name[@]}" -e '$a ccd-exclusive'
by_name "disable, and ccd-exclusive" changed.conf
echo "disable now" >"$T/server/by-name/$stolen"
lets_in "disable with an argument" changed.conf "$whose: .* in the CRL, found them missing"
rm "$T/server/by-name/$stolen"
by_name "ccd-exclusive without a file" changed.conf
echo disable >"$T/server/by-name/DEFAULT"
changed "${by_name[@]}"
by_name "disable in DEFAULT" changed.conf
: >"$T/server/by-name/$stolen"
lets_in "... and a file of the phone's own" changed.conf "$whose: .* in the CRL, found them missing"
rm "$T/server/by-name/$stolen" "$T/server/by-name/DEFAULT"
# Who has a password of another name comes in by that.
echo disable >"$T/server/by-name/$stolen"
printf 'visitor\nvisitor\n' >"$T/password"
cp "$T/thief.ovpn" "$T/plain.ovpn"
echo "auth-user-pass $T/password" >>"$T/thief.ovpn"
mkdir -m 1777 "$T/tmp"
changed "${by_name[@]}" -e '$a script-security 3\nauth-user-pass-verify /bin/true via-env\nusername-as-common-name' -e "\$a tmp-dir $T/tmp"
lets_in "disable, and the name is the password's" changed.conf "$whose: .* in the CRL, found them missing"
cp "$T/plain.ovpn" "$T/thief.ovpn"

# ---- other CRLs ----
phonevpn crl --out "$T/server/old.pem" >"$T/out"
changed 's/^crl-verify .*/crl-verify old.pem/'
keeps_out "the CRL of 'phonevpn crl'" changed.conf

phonevpn config set vpn-crl dir
emits
keeps_out "as emitted, with the folder" server.conf
chmod 600 "$T/server/crl/$decimal"
changed 's/^user .*/user nobody/'
lets_in "a serial's file that the server's user cannot read" changed.conf "$whose: expected files .* user can read, found others"
is "... also with the thief's own file" \
	"$(phonevpn check server "$T/server/changed.conf" --against "$T/stolen.ovpn" --format json |
		jq -r '.findings[] | select(.rule | test("revoked")) | .rule')" server-not-revoked
chmod 644 "$T/server/crl/$decimal"
is "... which a server that reads it refuses" \
	"$(phonevpn check server "$T/server/changed.conf" --against "$T/stolen.ovpn" --format json |
		jq -r '.findings[] | select(.rule | test("revoked")) | .rule')" server-phone-revoked
mv "$T/server/crl/$decimal" "$T/$decimal"
lets_in "a folder without the serial" server.conf "$whose: expected a file named by each serial in decimal, found none"
mv "$T/$decimal" "$T/server/crl/$decimal"
chmod 700 "$T/server/crl"
lets_in "a folder that the server's user cannot enter" server.conf "$whose: expected files .* user can read, found others"
chmod 755 "$T/server/crl"

# ---- another CA ----
phonevpn --quiet --dir "$T/other" init --vpn-host "$NETNS_SERVER" --url "http://$NETNS_SERVER" --ca-bits 2048 || bail_out init
phonevpn --quiet --dir "$T/other" emit server --out "$T/foreign" || bail_out "emit server"
changed "s,^crl-verify .*,crl-verify $T/foreign/crl.pem,"
lets_in "the CRL of another CA alone" changed.conf "$whose: expected a CRL of their CA, found none"
cat "$T/foreign/crl.pem" "$T/server/crl.pem" >"$T/server/both.pem"
changed 's/^crl-verify .*/crl-verify both.pem/'
keeps_out "both CRLs" changed.conf

# With capath in place of ca, OpenSSL looks for CRLs there.
mkdir "$T/server/cas"
hash=$(openssl x509 -in "$T/server/ca.crt" -noout -hash)
cp "$T/server/ca.crt" "$T/server/cas/$hash.0"
changed -e 's/^ca .*/capath cas/' -e '/^crl-verify /d'
lets_in "a folder of CAs without a CRL" changed.conf "$whose: expected crl-verify, found none"
cp "$T/server/crl.pem" "$T/server/cas/$hash.r0"
keeps_out "... with one" changed.conf

# ---- many ----
phonevpn --quiet mint $stolen --rekey || bail_out mint
phonevpn --quiet revoke $stolen
phonevpn --quiet revoke $spare
desk_serial=$(phonevpn --json phone show $desk | jq -r .serial)
phonevpn --quiet phone remove $desk
changed '/^crl-verify /d'
like "four of them: counted, with the one that was issued first" "$(found changed.conf)" \
	"^4 revoked certificates, the first of $desk, serial $desk_serial: expected crl-verify, found none$"
emits
is "... and as emitted none is let in" "$(found server.conf)" ""
is "a certificate that has ended needs no CRL" \
	"$(phonevpn check server "$T/server/changed.conf" --fleet --format json --at "$(date -u -d '+1830 days' +%Y-%m-%d)" |
		jq '[.findings[] | select(.rule == "server-not-revoked")] | length')" 0

# ---- a PKI that was taken over ----
cd "$T" || exit 1
export PHONEVPN_DIR=$T/taken
make_pki() {
	er init-pki && er build-ca nopass && er build-server-full vpn nopass && er build-client-full $desk nopass &&
		er build-client-full $stolen nopass && er gen-crl && cp "$EASYRSA_PKI/crl.pem" "$T/empty.pem" &&
		er revoke $stolen keyCompromise && er gen-crl
}
ok "easy-rsa makes a PKI" make_pki || bail_out "no PKI"
serial=$(revoked_serial keyCompromise | tr A-F a-f | sed 's/^0*//')
sed "/^<cert>/,\$d" "$T/stolen.ovpn" | sed '/^<ca>/,$d' >"$T/thief.ovpn"
upper=$(revoked_serial keyCompromise)
{
	printf '<ca>\n%s\n</ca>\n' "$(cat "$EASYRSA_PKI/ca.crt")"
	printf '<cert>\n%s\n</cert>\n' "$(openssl x509 -in "$EASYRSA_PKI/revoked/certs_by_serial/$upper.crt")"
	printf '<key>\n%s\n</key>\n' "$(cat "$EASYRSA_PKI/revoked/private_by_serial/$upper.key")"
} >>"$T/thief.ovpn"
# Of the revoked one nothing but its row in the index is left.
rm -r "$EASYRSA_PKI/revoked"
rm -f "$EASYRSA_PKI/certs_by_serial/$upper.pem"
printf 'mac,model\n%s,D65\n%s,D65\n' $desk $stolen >fleet.csv
ok "it is taken over" phonevpn import easyrsa pki --vpn-host "$NETNS_SERVER" --url "http://$NETNS_SERVER" --fleet fleet.csv
rm -rf "$T/server"
emits
keeps_out "as emitted" server.conf
cp "$T/empty.pem" "$T/server/"
changed 's/^crl-verify .*/crl-verify empty.pem/'
lets_in "easy-rsa's CRL of before" changed.conf "1 revoked certificate, of $stolen, serial $serial: .* in the CRL, found them missing"
phonevpn config set vpn-crl dir
emits
keeps_out "as emitted, with the folder" server.conf
ok "check fleet looks at it" sh -c "phonevpn --json check fleet | jq -e '[.findings[] | select(.rule == \"fleet-crl-incomplete\")] == []'"
done_testing
