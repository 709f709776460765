#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Every reason for which a phone stays off the VPN though it has its file: what the screen, the shield, the JSON document
# and the exit status of the reference phone say of each. The certificates are made by openssl, the bundles by hand.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/netns.sh"
. "$(dirname "$0")/webservers.sh"

why=$(netns_missing) && skip_all "$why"
mac=000fd3006501
mkdir "$T/www" "$T/pki"
{ netns_server && netns_phone d65; } || bail_out "namespaces"
on_cleanup() {
	[ ! -e "$T/phone" ] || refphone --state "$T/phone" --quiet disconnect >/dev/null 2>&1
}

# ---- two CAs, certificates good and past ----
ca() {
	mkdir "$T/pki/$1.db"
	: >"$T/pki/$1.db/index.txt"
	cat >"$T/pki/$1.conf" <<-CONF
		[ca]
		default_ca = it
		[it]
		database = $T/pki/$1.db/index.txt
		new_certs_dir = $T/pki/$1.db
		rand_serial = yes
		default_md = sha256
		default_crl_days = 30
		certificate = $T/pki/$1.crt
		private_key = $T/pki/$1.key
		policy = any
		unique_subject = no
		[any]
		commonName = supplied
		[root]
		basicConstraints = critical, CA:TRUE
		keyUsage = critical, keyCertSign, cRLSign
		[server]
		keyUsage = digitalSignature, keyEncipherment
		extendedKeyUsage = serverAuth
		nsCertType = server
		[phone]
		keyUsage = digitalSignature
		extendedKeyUsage = clientAuth
		[req]
		distinguished_name = dn
		[dn]
	CONF
	openssl req -newkey rsa:2048 -nodes -subj "/CN=$1" -keyout "$T/pki/$1.key" -out "$T/pki/$1.csr" &&
		openssl ca -batch -notext -config "$T/pki/$1.conf" -selfsign -extensions root -startdate "$from" -enddate "$until" \
			-in "$T/pki/$1.csr" -out "$T/pki/$1.crt"
}
# issue CA NAME PROFILE START END
issue() {
	openssl req -newkey rsa:2048 -nodes -subj "/CN=$2" -keyout "$T/pki/$2.key" -out "$T/pki/$2.csr" &&
		openssl ca -batch -notext -config "$T/pki/$1.conf" -extensions "$3" -startdate "$4" -enddate "$5" \
			-in "$T/pki/$2.csr" -out "$T/pki/$2.crt"
}
make_certificates() {
	local from until past
	from=$(date -u -d '-2 days' +%Y%m%d%H%M%SZ) until=$(date -u -d '+20 days' +%Y%m%d%H%M%SZ) past=$(date -u -d '-1 day' +%Y%m%d%H%M%SZ)
	ca one && ca other &&
		issue one server server "$from" "$until" && issue one server-past server "$from" "$past" &&
		issue one good phone "$from" "$until" && issue one past phone "$from" "$past" &&
		issue one revoked phone "$from" "$until" && issue other stranger phone "$from" "$until" &&
		openssl ca -config "$T/pki/one.conf" -revoke "$T/pki/revoked.crt" &&
		openssl ca -config "$T/pki/one.conf" -gencrl -out "$T/pki/crl.pem"
}
make_certificates >"$T/pki.log" 2>&1 || {
	diag <"$T/pki.log"
	bail_out "certificates"
}

# bundle CERTIFICATE CA... : what the phone fetches, with $extra lines
bundle() {
	local certificate=$1
	shift
	printf '%s\n' client "dev tun" "proto $proto" "remote $NETNS_SERVER 1194" nobind "remote-cert-tls server" \
		"cipher AES-256-CBC" "auth SHA1" "resolv-retry infinite" "connect-retry 1" "verb 3" |
		{ [ "$proto" = udp ] && grep -v connect-retry || cat; }
	[ -z "${extra-}" ] || printf '%s\n' "$extra"
	echo "<ca>"
	for name; do cat "$T/pki/$name.crt"; done
	printf '</ca>\n<cert>\n'
	cat "$T/pki/$certificate.crt"
	printf '</cert>\n<key>\n'
	cat "$T/pki/$certificate.key"
	echo "</key>"
}

# ---- the phone's web server: a plain one ----
ok "nginx is up" web_in_netns d65

# publish: the XML for the bundle that lies there
publish() {
	printf '<config><setting id="network_default_enable_openvpn" value="1"/><setting id="openvpn_inline_config" url="%s" value="1" md5="%s"/></config>\n' \
		"http://$NETNS_SERVER/b.ovpn" "$(md5sum <"$T/www/b.ovpn" | cut -d' ' -f1)" >"$T/www/$mac.cfg"
}
offer() {
	bundle "$@" >"$T/www/b.ovpn"
	publish
}
# server OPTION...: the VPN server, with options of its own in place of the right ones
server() {
	[ -z "${spawned[vpn]-}" ] || stop vpn
	spawn vpn in_netns server openvpn --port 1194 --proto "${proto/tcp/tcp-server}" --dev tun --topology subnet \
		--server 10.8.0.0 255.255.255.0 --ca "$T/pki/one.crt" --cert "$T/pki/server.crt" --key "$T/pki/server.key" \
		--dh none --keepalive 5 30 --verb 3 --crl-verify "$T/pki/crl.pem" --tls-version-min 1.0 \
		--tls-cipher DEFAULT:@SECLEVEL=0 --data-ciphers AES-256-GCM:AES-256-CBC --auth SHA1 "$@"
	wait_until 20 printed vpn 'Initialization Sequence Completed'
}
# verify STATUS OPTION...: a phone fresh from the factory; the document is in $T/v.json
verify() {
	local expected=$1 status
	shift
	rm -rf "$T/phone"
	in_netns d65 refphone --state "$T/phone" --mac $mac --model D65 --firmware 2_7_0 verify \
		--config-url "http://$NETNS_SERVER" --timeout "${timeout:-4}" --junit "$T/junit.xml" "$@" >"$T/v.json" 2>"$T/v.err"
	status=$?
	[ "$status" -eq "$expected" ] || {
		echo "expected status $expected, found $status"
		jq -c '.steps[]' "$T/v.json"
		cat "$T/v.err"
		return 1
	}
}
# refused WHAT STATUS VERDICT REASON [OPTION...]: all that the phone shows of it
refused() {
	local what=$1 status=$2 verdict=$3 reason=$4
	shift 4
	ok "$what: exit status $status" verify "$status" "$@"
	is "$what: verdict" "$(jq -r .verdict "$T/v.json")" "$verdict"
	like "$what: reason" "$(jq -r .reason "$T/v.json")" "$reason"
	is "$what: the document agrees with the status" "$(jq .exit_status "$T/v.json")" "$status"
	is "$what: red shield, red x, soft key Connect" \
		"$(jq -r '.status | "\(.shield) \(.icon) \(.softkey)"' "$T/v.json")" "red x Connect"
	like "$what: the screen shows it" "$(refphone --state "$T/phone" screen)" 'VPN: red shield'
	like "$what: ... and that it is down" "$(refphone --state "$T/phone" screen)" 'Status +Disconnected'
	is "$what: one failure for a CI server" "$(xmllint --xpath 'string(//failure/@type)' "$T/junit.xml")" "$verdict"
	is "$what: no openvpn is left" "$(ip netns pids "$(netns_name d65)")" ""
}

for proto in udp tcp; do
	offer good one
	ok "$proto: the server starts" server
	ok "$proto: a good bundle connects" verify 0
	is "$proto: ... verdict" "$(jq -r '.verdict + " " + .status.shield + " " + .status.icon + " " + .status.softkey' "$T/v.json")" "ok blue check Disconnect"
	is "$proto: ... with the address that the server gave" "$(jq -r .status.vpn_address "$T/v.json")" 10.8.0.2
	ok "$proto: ... bytes went both ways" jq -e '.status.bytes_in > 0 and .status.bytes_out > 0' "$T/v.json"
	is "$proto: ... the serial is openssl's" "$(jq -r .certificate.serial "$T/v.json" | tr a-f A-F)" \
		"$(openssl x509 -in "$T/pki/good.crt" -noout -serial | cut -d= -f2)"
	is "$proto: ... the end of its life, too" "$(date -u -d "$(jq -r .certificate.not_after "$T/v.json")" +%s)" \
		"$(date -u -d "$(openssl x509 -in "$T/pki/good.crt" -noout -enddate | cut -d= -f2)" +%s)"
	is "$proto: ... nothing is left running" "$(ip netns pids "$(netns_name d65)")" ""
	like "$proto: ... over TLS 1.0" "$(cat "$T/vpn.out")" "Control Channel: TLSv1,"

	offer stranger one other
	refused "$proto, a certificate of another CA" 20 vpn_refused 'server answers'
	like "$proto: ... the server's log says why" "$(cat "$T/vpn.out")" 'unable to get local issuer certificate|self-signed certificate in certificate chain'
	offer revoked one
	refused "$proto, a revoked certificate" 20 vpn_refused 'server answers'
	like "$proto: ... the server's log says why" "$(cat "$T/vpn.out")" 'certificate revoked'
	offer past one
	refused "$proto, an expired certificate, by the phone's clock not yet" 20 vpn_refused 'server answers' \
		--clock "$(date -u -d '-36 hours' +%Y-%m-%dT%H:%M:%SZ)"
	like "$proto: ... the server's log says why" "$(cat "$T/vpn.out")" 'certificate has expired'

	offer good one
	ok "$proto: a server with another CA's certificate" server --ca "$T/pki/other.crt" --cert "$T/pki/stranger.crt" --key "$T/pki/stranger.key" --crl-verify "$T/pki/crl.pem"
	refused "$proto, a server of another CA" 20 vpn_refused 'VERIFY ERROR.*self.signed certificate|unable to get local issuer'
	ok "$proto: a server whose certificate is past" server --cert "$T/pki/server-past.crt" --key "$T/pki/server-past.key"
	refused "$proto, an expired server" 20 vpn_refused 'VERIFY ERROR.*certificate has expired'
	ok "$proto: a server without the phone's data cipher" server --data-ciphers AES-256-GCM
	refused "$proto, no shared cipher" 20 vpn_refused 'AUTH_FAILED|auth-failure'
	ok "$proto: a server that wants TLS 1.2" server --tls-version-min 1.2
	refused "$proto, no shared TLS version" 20 vpn_refused 'server answers'
	ok "$proto: a server without the phone's suites" server --tls-cipher DHE-RSA-AES256-SHA:@SECLEVEL=0
	refused "$proto, no shared suite" 20 vpn_refused 'server answers'
	stop vpn
	timeout=3
	refused "$proto, no server" 21 vpn_timeout 'no answer of the server|refused'
	timeout=
done

# ---- what is found before anything is sent ----
offer past one
refused "an expired certificate" 19 certificate_bad 'expected.*found'
offer good one
refused "a clock before the certificate begins" 19 certificate_bad 'not yet|begin|from' --clock 2001-01-01
offer good other
refused "a CA that did not sign the certificate" 19 certificate_bad 'sign'
cp "$T/pki/good.key" "$T/pki/kept.key"
cp "$T/pki/revoked.key" "$T/pki/good.key"
offer good one
refused "the key of another certificate" 19 certificate_bad 'key'
cp "$T/pki/kept.key" "$T/pki/good.key"
extra=auth-user-pass offer good one
refused "a password to be entered" 18 bundle_bad 'auth-user-pass'
offer good one
ok "a phone without CAP_NET_ADMIN" server
is "... is this machine's fault, and says so" "$(in_netns d65 setpriv --bounding-set=-net_admin --inh-caps=-net_admin \
	refphone --mac $mac --model D65 --firmware 2_7_0 --quiet verify --config-url "http://$NETNS_SERVER" --timeout 10 | jq -r '.verdict, .exit_status' | xargs)" "failed 1"
stop vpn

extra='tls-cipher ECDHE-RSA-AES256-GCM-SHA384' offer good one
refused "no suite of the phone's" 18 bundle_bad 'control-channel'
ok "... without connecting, too" verify 18 --no-connect

# ---- a verify that is killed leaves no openvpn ----
offer good one
spawn killed in_netns d65 refphone --state "$T/killed" --mac $mac --model D65 --firmware 2_7_0 verify \
	--config-url "http://$NETNS_SERVER" --timeout 60
runs_openvpn() {
	ip netns pids "$(netns_name d65)" | xargs -r ps -o comm= -p | grep -qx openvpn
}
runs_none() {
	[ -z "$(ip netns pids "$(netns_name d65)")" ]
}
ok "an openvpn runs" wait_until 10 runs_openvpn
stop killed KILL
ok "... and ends with the verify that is killed" wait_until 20 runs_none

# ---- several remotes: the first does not answer ----
proto=tcp
ok "a server on the second remote" server
extra="remote $NETNS_SERVER 1195" offer good one
awk '/^remote .* 1194$/ { held = $0; next } { print } /^remote .* 1195$/ { print held }' "$T/www/b.ovpn" >"$T/b.ovpn"
is "the bundle names the silent one first" "$(grep '^remote ' "$T/b.ovpn" | cut -d' ' -f3 | xargs)" "1195 1194"
cp "$T/b.ovpn" "$T/www/b.ovpn"
publish
timeout=20
ok "the phone goes on to the second" verify 0
like "... and says which it is" "$(jq -r .status.server "$T/v.json")" ':1194$'
timeout=

# ---- openvpn_logging ----
sed 's,</config>,<setting id="openvpn_logging" value="1"/></config>,' "$T/www/$mac.cfg" >"$T/cfg" && cp "$T/cfg" "$T/www/$mac.cfg"
boot() {
	in_netns d65 refphone --state "$T/phone" --mac $mac --model D65 --firmware 2_7_0 boot --config-url "http://$NETNS_SERVER" "$@"
}
ok "openvpn_logging restarts the phone" boot
like "... it says so" "$(cat "$T/out")" 'openvpn_logging changed to 1: the phone restarts'
is "... and fetches its configuration again" "$(grep -c '^done *xml' "$T/out")" 2
like "... and logs more" "$(cat "$T/phone/openvpn.log")" "Current Parameter Settings"
unlike "... but no key" "$(cat "$T/phone/openvpn.log")" "PRIVATE KEY"
ok "the same again" boot
unlike "... restarts nothing" "$(cat "$T/out")" restarts
ok "follow draws the screen until it is ended" timeout --preserve-status -s INT 2 refphone --state "$T/phone" screen --follow
like "... blue" "$(cat "$T/out")" "VPN: blue shield"
ok "disconnect" refphone --state "$T/phone" disconnect
on_cleanup
is "no OpenVPN of a phone is left" "$(ip netns pids "$(netns_name d65)")" ""
done_testing
