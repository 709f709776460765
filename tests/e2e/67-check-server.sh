#!/bin/bash
# SPDX-License-Identifier: ISC
#
# "check server" and the real thing: each configuration here is given to OpenVPN 2.6 and to a client that is held to what
# the phone does (TLS 1.0, the vendor page's suites, one CBC cipher). Where it fails, because the server does not start,
# the client does not connect or no packet passes, "check" has to name that error; where it works, it has to find none.
# What only an older client shows was measured with OpenVPN 2.1.4, 2.2.3 and 2.3.2; those rows are marked as such.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/netns.sh"

why=$(netns_missing) && skip_all "$why"
workers=10
netns_server || bail_out "namespaces"
# An address behind the server, and IPv6 beside IPv4.
beyond=198.51.100.1 six=fd00:67::1
ip -n "$(netns_name server)" address add $beyond dev lo
for ((w = 0; w < workers; w++)); do
	netns_phone "p$w" || bail_out "namespaces"
	ip -n "$(netns_name server)" address add $six dev "phone$((w + 1))" nodad &&
		ip -n "$(netns_name "p$w")" address add "fd00:67::1:$w" dev eth0 nodad &&
		ip -n "$(netns_name "p$w")" route add $six dev eth0 &&
		ip -n "$(netns_name server)" route add "fd00:67::1:$w" dev "phone$((w + 1))" || bail_out "IPv6 in namespaces"
done
# The user that a server becomes has to come this far.
chmod 711 "$T"
pki=$T/pki
mkdir "$T/case"
mkfifo "$T/never"
suites=ECDHE-RSA-AES256-SHA:ECDHE-RSA-AES128-SHA:AES256-SHA:AES128-SHA:CAMELLIA256-SHA:CAMELLIA128-SHA:SEED-SHA:@SECLEVEL=0

"$SOURCE/tests/server_pki.sh" "$pki" >"$T/pki.log" 2>&1 || {
	tail -n 20 "$T/pki.log" | diag
	bail_out "certificates"
}
openvpn --genkey secret "$pki/ta.key" && openvpn --genkey secret "$pki/ta2.key" &&
	openvpn --genkey tls-crypt-v2-server "$pki/v2.key" && chmod 600 "$pki"/*.key || bail_out "static keys"

# ---- cases ----
cases=0
# broken RULE OUTCOME WHAT SERVER-LINE... [-- BUNDLE-LINE...] [++ OPTION...]: OUTCOME is dies, refused or no-data. A line
# "-ERE" takes away the usual lines that match. Options are of the client's emulation and no part of the bundle.
# "=ca NAME" and "=cert NAME KEY" are what the bundle holds in place of the usual; "=run COMMAND" prepares files in the
# case's folder CASE, "=hook COMMAND" runs between the start of the server and that of the phone. NETWORK is the server's.
broken() {
	add "$1" "$2" "${@:3}"
}
works() {
	add - works "$@"
}
# warned RULE WHAT ...: works all the same
warned() {
	add "$1" works "${@:2}"
}
add() {
	local rule=$1 outcome=$2 what=$3 dir=$T/case/$cases to=server line
	local network=10.$((100 + cases / 200)).$((cases % 200)) port=$((2000 + cases)) hook='' ca=one cert=phone key=key
	local address=$network.1 server client options=()
	server=("port $port" "proto udp" "dev tun" "topology subnet" "server $network.0 255.255.255.0" "ca $pki/one.crt"
		"cert $pki/server.crt" "key $pki/key.key" "dh none" "keepalive 5 30" "tls-version-min 1.0"
		"tls-cipher DEFAULT:@SECLEVEL=0" "data-ciphers AES-256-GCM:AES-128-GCM:AES-256-CBC" "auth SHA1" "verb 3")
	client=(client "dev tun" "proto udp" "remote $NETNS_SERVER $port" nobind "remote-cert-tls server" "cipher AES-256-CBC"
		"auth SHA1" "verb 3")
	shift 3
	mkdir "$dir"
	for line; do
		line=${line//NETWORK/$network}
		line=${line//CASE/$dir}
		line=${line//PORT/$port}
		case $to:$line in
		*:--) to=client ;;
		*:++) to=options ;;
		*:=ca\ *) ca=${line#* } ;;
		*:=cert\ *) read -r _ cert key <<<"$line" ;;
		*:=address\ *) address=${line#* } ;;
		*:=hook\ *) hook=${line#* } ;;
		*:=run\ *) (cd "$dir" && eval "${line#* }") ;;
		server:-*) without "${line#-}" "${server[@]}" && server=("${kept[@]}") ;;
		client:-*) without "${line#-}" "${client[@]}" && client=("${kept[@]}") ;;
		server:*) server+=("$line") ;;
		client:*) client+=("$line") ;;
		options:*) read -r -a words <<<"$line" && options+=("${words[@]}") ;;
		esac
	done
	printf '%s\n' "${server[@]}" >"$dir/server.conf"
	printf '%s\n' "${client[@]}" "<ca>" "$(<"$pki/$ca.crt")" "</ca>" "<cert>" "$(<"$pki/$cert.crt")" "</cert>" "<key>" \
		"$(<"$pki/$key.key")" "</key>" >"$dir/client.ovpn"
	[ ${#options[@]} -eq 0 ] || printf '%s\n' "${options[@]}" >"$dir/options"
	[ -z "$hook" ] || echo "$hook" >"$dir/hook"
	printf '%s\n' "$rule" "$outcome" "$what" "$address" >"$dir/expected"
	cases=$((cases + 1))
}
# without ERE LINE...: those that do not begin with a match, in $kept
without() {
	local regex="^($1)"
	shift
	kept=()
	for line; do [[ $line =~ $regex ]] || kept+=("$line"); done
}
# older RULE WHAT ...: today's client takes it, and those of 2.1 to 2.3 do not, as was measured with them
older() {
	add "older $1" works "${@:2}"
}

# lets_in RULE WHAT ...: whom it should not
lets_in() {
	add "error $1" works "${@:2}"
}

# suspect RULE OUTCOME WHAT ...: only a warning, as something outside of the file may make it good
suspect() {
	add "warning $1" "${@:2}"
}

# trial WORKER DIR: what really happens, into DIR/outcome
trial() {
	local phone server options=() phone_pid='' server_pid expected
	phone=$(netns_name "p$1")
	server=$(netns_name server)
	cd "$2" || return
	mapfile -t expected <expected
	[ ! -e options ] || mapfile -t options <options
	# They are read before the programs have begun.
	: >server.log
	: >client.log
	ip netns exec "$server" timeout 60 openvpn --config server.conf >server.log 2>&1 &
	server_pid=$!
	if ! await 20 server.log $server_pid; then
		echo dies >outcome
	else
		[ ! -e hook ] || PHONE=$phone SUITES=$suites bash hook >hook.log 2>&1
		ip netns exec "$phone" timeout 40 openvpn --config client.ovpn --tls-version-min 1.0 --tls-version-max 1.0 \
			--tls-cipher "$suites" --data-ciphers AES-256-CBC --hand-window 5 --connect-retry 1 1 "${options[@]}" >client.log 2>&1 &
		phone_pid=$!
		if ! await 15 client.log $phone_pid; then
			echo refused >outcome
		elif ip netns exec "$phone" ping -q -c 4 -i 0.3 -W 1 -s 1200 "${expected[3]}" >ping.log 2>&1; then
			echo works >outcome
		else
			echo no-data >outcome
		fi
	fi
	[ ! -e hook.pid ] || kill "$(<hook.pid)"
	for pid in $phone_pid $server_pid; do
		kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	done
}
# await SECONDS LOG PID: it is up; fails when it says that it will not be, ends, or after that time. It starts no process,
# as many of these run at once.
await() {
	local end=$((SECONDS + $1)) text line
	while [ $SECONDS -lt $end ]; do
		text=
		while IFS= read -r line; do text+=$line$'\n'; done <"$2"
		[[ $text != *"Initialization Sequence Completed"* ]] || return 0
		[[ ! $text =~ TLS\ (handshake|key\ negotiation)\ failed|AUTH_FAILED|VERIFY.*\ ERROR|Exiting ]] || return 1
		kill -0 "$3" 2>/dev/null || return 1
		read -r -t 0.1 <>"$T/never"
	done
	return 1
}
# says DIR: "check" finds the error that is expected, the warning where all works, and nothing where nothing is
says() {
	local status rule expected
	mapfile -t expected <"$1/expected"
	rule=${expected[0]}
	phonevpn check server "$1/server.conf" --against "$1/client.ovpn" --format json >"$1/check.json"
	status=$?
	case $rule/${expected[1]} in
	-/*) [ $status -eq 0 ] && jq -e '.errors == 0' "$1/check.json" ;;
	older* | error*) [ $status -eq 5 ] && jq -e --arg rule "${rule#* }" 'any(.findings[]; .rule == $rule and .severity == "error")' "$1/check.json" ;;
	warning* | */works) [ $status -eq 0 ] && jq -e --arg rule "${rule#warning }" 'any(.findings[]; .rule == $rule and .severity == "warning")' "$1/check.json" ;;
	*) [ $status -eq 5 ] && jq -e --arg rule "$rule" 'any(.findings[]; .rule == $rule and .severity == "error")' "$1/check.json" ;;
	esac
}
work() {
	local i
	trap - EXIT
	for ((i = $1; i < cases; i += workers)); do
		(trial "$1" "$T/case/$i")
		says "$T/case/$i" >"$T/case/$i/said" 2>&1
		echo $? >"$T/case/$i/status"
	done
}

# ---- what works ----
works "the usual server"
works "... over TCP" "-proto" "proto tcp-server" -- "-proto" "proto tcp"
works "... without the helper's name for it" "-proto" "proto tcp" -- "-proto" "proto tcp-client"
works "udp6 takes IPv4 as well" "-proto" "proto udp6"
works "tls-cert-profile insecure in place of the level" "-tls-cipher" "tls-cert-profile insecure"
works "a suite list with IANA's names" "-tls-cipher" "tls-cert-profile insecure" "tls-cipher TLS-ECDHE-RSA-WITH-AES-256-CBC-SHA"
works "a client without ECDHE" ++ "--tls-cipher AES256-SHA:@SECLEVEL=0"
works "the vendor page's sample with BF-CBC" "-data-ciphers" "data-ciphers AES-256-GCM:AES-256-CBC:BF-CBC" \
	"providers legacy default" -- "-cipher" ++ "--providers legacy default" "--cipher BF-CBC --data-ciphers BF-CBC"
works "compat-mode 2.3.0 with a cipher of today" "compat-mode 2.3.0" "cipher AES-256-CBC" "tls-cert-profile insecure" \
	"-tls-version-min" "-tls-cipher" "-data-ciphers"
works "compat-mode 2.3.0 with the legacy provider" "compat-mode 2.3.0" "providers legacy default" "tls-cert-profile insecure" \
	"-tls-version-min" "-tls-cipher" "-data-ciphers" -- "-cipher" ++ "--providers legacy default" "--cipher BF-CBC --data-ciphers BF-CBC"
works "an optional cipher that is not there" "-data-ciphers" "data-ciphers AES-256-GCM:AES-256-CBC:?BF-CBC"
works "ncp-ciphers, the older name" "-data-ciphers" "ncp-ciphers AES-256-GCM:AES-256-CBC"
for cipher in AES-128-CBC AES-192-CBC CAMELLIA-128-CBC CAMELLIA-192-CBC CAMELLIA-256-CBC DES-EDE3-CBC; do
	works "$cipher, without the legacy provider" "-data-ciphers" "data-ciphers AES-256-GCM:$cipher" -- "-cipher" "cipher $cipher" \
		++ "--data-ciphers $cipher"
done
for auth in SHA256 SHA512 MD5; do
	works "auth $auth on both sides" "-auth" "auth $auth" -- "-auth" "auth $auth"
done
works "auth in another spelling" "-auth" "auth sha1" -- "-auth"
works "comp-lzo on both sides" "comp-lzo" -- "comp-lzo"
works "... with allow-compression yes" "allow-compression yes" "comp-lzo" -- "comp-lzo"
works "comp-lzo, and the server pushes no" "comp-lzo no" 'push "comp-lzo no"' -- "comp-lzo"
works "comp-lzo, and compress migrate" "compress migrate" -- "comp-lzo"
works "nothing, and compress migrate" "compress migrate"
works "comp-lzo no on both sides" "comp-lzo no" -- "comp-lzo no"
works "comp-lzo no, and compress migrate" "compress migrate" -- "comp-lzo no"
works "comp-lzo, and compress lzo" "compress lzo" -- "comp-lzo"
works "tls-auth" "tls-auth $pki/ta.key 0" -- "key-direction 1" "<tls-auth>" "$(cat "$pki/ta.key")" "</tls-auth>"
works "tls-auth both ways" "tls-auth $pki/ta.key" -- "<tls-auth>" "$(cat "$pki/ta.key")" "</tls-auth>"
works "tls-auth the other way round" "tls-auth $pki/ta.key 1" -- "key-direction 0" "<tls-auth>" "$(cat "$pki/ta.key")" "</tls-auth>"
works "topology net30" "-topology" "topology net30"
works "topology p2p" "-topology" "topology p2p"
works "no topology" "-topology"
works "fragment on both sides" "fragment 1300" -- "fragment 1300"
works "the phone's key is EC" "=cert ec-phone ec"
works "the phone's certificate is signed with SHA-1" "=cert sha1-phone key" ++ "--tls-cert-profile insecure"
works "the phone's certificate has no extensions" "=cert bare key"
works "both CAs in ca" "-ca " "ca $pki/both.crt" "=cert stranger key"
works "ns-cert-type" -- "-remote-cert-tls" "ns-cert-type server"
works "no check of the server" -- "-remote-cert-tls"
works "nsCertType without extendedKeyUsage, for ns-cert-type" "-cert" "cert $pki/no-purpose-server.crt" -- "-remote-cert-tls" "ns-cert-type server"
works "keyUsage digitalSignature alone, for ns-cert-type" "-cert" "cert $pki/narrow-usage-server.crt" -- "-remote-cert-tls" "ns-cert-type server"
works "no nsCertType, for remote-cert-tls" "-cert" "cert $pki/no-netscape-server.crt"
works "a server below an intermediate CA that it sends" "-cert" "cert $pki/below-chain.crt"
works "... that is in its ca file" "-cert" "-ca " "cert $pki/below.crt" "ca $pki/with-between.crt"
works "... that the phone has" "-cert" "cert $pki/below.crt" "=ca with-between"
works "a phone below an intermediate CA that the server has" "-ca " "ca $pki/with-between.crt" "=cert below-phone key"
works "old and new CA on both sides" "-ca " "ca $pki/both.crt" "-cert" "cert $pki/stranger-server.crt" "=ca both"
works "two CAs of one name in the bundle" "=ca twins"
works "verify-x509-name with its name" -- "verify-x509-name server name"
works "... with the beginning of it" -- "verify-x509-name ser name-prefix"
works "... with the subject" -- "verify-x509-name CN=server"
works "a CRL" "crl-verify $pki/crl-revoked.pem"
works "two CRLs" "-ca " "ca $pki/both.crt" "crl-verify $pki/crl-both.pem"
works "two CRLs, that of the other CA has expired" "-ca " "ca $pki/both.crt" "crl-verify $pki/crl-one-past.pem" "=cert stranger key"
works "a folder of revoked serials" "crl-verify $pki/serials-revoked dir"
works "remote-cert-tls client" "remote-cert-tls client"
works "a user, and a CRL that it can read" "user nobody" "group nogroup" persist-key persist-tun "crl-verify $pki/crl.pem" \
	"=hook touch $pki/crl.pem"
works "explicit-exit-notify over UDP" "explicit-exit-notify 1"
works "... and over TCP, where it is ignored" "-proto" "proto tcp-server" "explicit-exit-notify 1" -- "-proto" "proto tcp"
works "client-connect with script-security" "script-security 2" "client-connect /bin/true"
works "an optional password" "script-security 2" "auth-user-pass-verify /bin/true via-file" auth-user-pass-optional
works "a fixed address" "client-config-dir CASE" "=run echo ifconfig-push NETWORK.77 255.255.255.0 >phone"
works "ccd-exclusive, and a file" "client-config-dir CASE" ccd-exclusive "=run : >phone"
works "reneg-sec 0" "reneg-sec 0"
works "settings in a file that is included" "-auth|data-ciphers" "cd CASE" "config more.conf" \
	"=run printf '%s\\n' 'auth SHA1' 'data-ciphers AES-256-CBC' >more.conf"
works "a directive behind setenv opt" "-data-ciphers" "setenv opt data-ciphers AES-256-GCM:AES-256-CBC"
works "duplicate-cn" duplicate-cn
works "parameters of 2048 bits for dh" "-dh" "dh CASE/dh.pem" "=run openssl dhparam -dsaparam -out dh.pem 2048 2>/dev/null"
works "no-replay on both sides" no-replay -- no-replay
works "a netmask wider than the server's" "client-config-dir CASE" "=run echo ifconfig-push NETWORK.77 255.255.0.0 >phone"
works "push-reset, and the topology anew" "client-config-dir CASE" "=run printf '%s\n' push-reset 'push \"topology subnet\"' >phone"
expanded=("-server" "mode server" tls-server "ifconfig NETWORK.1 255.255.255.0" "ifconfig-pool NETWORK.10 NETWORK.200 255.255.255.0"
	'push "route-gateway NETWORK.1"')
works "what the directive server stands for" "${expanded[@]}" 'push "topology subnet"'
works "no pool, and an address of its own" "-server" "server NETWORK.0 255.255.255.0 nopool" "client-config-dir CASE" \
	"=run echo ifconfig-push NETWORK.77 255.255.255.0 >phone"

# ---- the server does not start ----
broken server-line dies "an open quotation" 'status "open'
broken server-line dies "a line of 300 bytes" "push \"$(printf '%0300d' 0)\""
for line in "keysize 128" no-iv "key-method 2" ncp-disable client-cert-not-required compat-names no-name-remapping "tls-remote x" \
	ifconfig-pool-linear inetd; do
	broken server-directive-removed dies "$line" "$line"
done
for line in server dev dh "ca " "cert " "key "; do
	broken server-directive-missing dies "no $line" "-$line"
done
broken server-options dies "nobind" nobind
broken server-options dies "remote" "remote 192.0.2.1"
broken server-options dies "client" client
broken server-options dies "pull" pull
broken server-options dies "auth-user-pass" auth-user-pass
broken server-options dies "fragment over TCP" "-proto" "proto tcp-server" "fragment 1300"
broken server-options dies "tcp-client" "-proto" "proto tcp-client"
broken server-options dies "tls-auth and tls-crypt" "tls-auth $pki/ta.key 0" "tls-crypt $pki/ta.key"
broken server-options dies "ccd-exclusive without a folder" ccd-exclusive
broken server-options dies "verify-client-cert none without passwords" "verify-client-cert none"
broken server-options dies "auth-user-pass-optional without passwords" auth-user-pass-optional
broken server-options dies "redirect-gateway" "redirect-gateway def1"
broken server-options dies "management-hold without management" management-hold
broken server-options dies "port-share over UDP" "port-share 127.0.0.1 443"
broken server-options dies "keepalive 20 30" "-keepalive" "keepalive 20 30"
broken server-options dies "ping beside keepalive" "ping 5"
broken server-options dies "tls-version-min above tls-version-max" "-tls-version-min" "tls-version-min 1.2" "tls-version-max 1.0"
broken server-options dies "tls-version-min 1.9" "-tls-version-min" "tls-version-min 1.9"
broken server-options dies "an unknown tls-cert-profile" "tls-cert-profile foo"
broken server-options dies "a tls-cipher of nothing" "-tls-cipher" "tls-cipher FOO"
broken server-options dies "an unknown group" "tls-groups foo"
broken server-options dies "an unknown suite of TLS 1.3" "tls-ciphersuites FOO"
broken server-options dies "ifconfig-pool beside server" "ifconfig-pool 10.9.0.2 10.9.0.9"
broken server-options dies "compat-mode 2.3" "compat-mode 2.3"
for line in "ca " "cert " "key "; do
	broken server-file-missing dies "${line}is not there" "-$line" "${line}nothing"
done
broken server-file-missing dies "no CRL" "crl-verify nothing.pem"
broken server-file-missing dies "no client-config-dir" "client-config-dir nothing"
broken server-file-missing dies "no script" "script-security 2" "client-connect $pki/nothing"
broken server-file-missing dies "no folder for the status" "status nothing/status"
broken server-file-missing dies "no plugin" "plugin /nothing.so"
broken server-file-missing dies "cd to nowhere" "cd CASE/nothing"
broken server-file-missing dies "an included file" "config nothing.conf"
broken server-file-missing dies "no tmp in the chroot" "chroot CASE"
broken server-file-missing dies "no tls-auth key" "tls-auth nothing 0"
broken server-file-broken dies "ca without a certificate" "-ca " "ca $pki/crl-garbage.pem"
broken server-file-broken dies "cert without a certificate" "-cert" "cert $pki/crl-garbage.pem"
broken server-file-broken dies "key without a key" "-key" "key $pki/crl-garbage.pem"
broken server-file-broken dies "tls-auth without a key" "tls-auth $pki/crl-garbage.pem 0"
for line in "ca /dev/null" "ca $pki" "cert /dev/null" "key /dev/null"; do
	broken server-file-broken dies "$line" "-${line%% *} " "$line"
done
broken server-file-broken dies "dh /dev/null" "-dh" "dh /dev/null"
broken server-file-broken dies "tls-auth /dev/null" "tls-auth /dev/null 0"
broken server-file-broken dies "parameters of 1024 bits for dh" "-dh" "dh CASE/dh.pem" \
	"=run openssl dhparam -dsaparam -out dh.pem 1024 2>/dev/null"
broken server-file-broken dies "dh without parameters" "-dh" "dh $pki/one.crt"
broken server-file-broken dies "a file for a folder of revoked serials" "crl-verify $pki/crl.pem dir"
broken server-file-broken dies "... by an earlier line's dir" "crl-verify $pki/serials-revoked dir" "crl-verify $pki/crl.pem"
broken server-file-broken dies "a file for client-config-dir" "client-config-dir $pki/crl.pem"
broken server-file-broken dies "a file for tmp-dir" "tmp-dir $pki/crl.pem"
broken server-file-broken dies "a file for chroot" "chroot $pki/crl.pem"
works "a file for capath" "capath $pki/one.crt"
broken server-key-mismatch dies "another key" "-key" "key $pki/one.key"
broken server-cert-refused dies "a certificate signed with SHA-1 at the usual level" "-cert" "-tls-cipher" "cert $pki/sha1-server.crt"
broken server-cert-refused dies "an RSA certificate and the profile suiteb" "tls-cert-profile suiteb"
broken server-ca-same-name dies "two CAs of one name" "-ca " "ca $pki/twins.crt"
broken server-providers dies "the legacy provider alone" "providers legacy"
broken server-providers dies "a provider that there is not" "providers default nothing"
broken server-cipher-unsupported dies "a cipher that there is not" "-data-ciphers" "data-ciphers AES-256-CBC:FOO-CBC"
broken server-cipher-legacy dies "BF-CBC without its provider" "-data-ciphers" "data-ciphers AES-256-CBC:BF-CBC"
broken server-cipher-legacy dies "... as the fallback" "data-ciphers-fallback BF-CBC"
broken server-cipher-legacy dies "compat-mode 2.3.0 alone" "compat-mode 2.3.0"
broken server-cipher-legacy dies "cipher CAST5-CBC, which does not count" "cipher CAST5-CBC"
broken server-auth-unsupported dies "a digest that there is not" "-auth" "auth FOO"
broken server-comp-refused dies "comp-lzo and allow-compression no" comp-lzo "allow-compression no"
broken server-comp-refused dies "... in the other order" "allow-compression no" comp-lzo
for line in "10.8.0.5 255.255.255.0" "10.0.0.0 255.0.0.0" "10.8.0.0 255.255.255.252" "10.8.0.0 255.0.255.0" "10.8.0.0 24"; do
	broken server-network dies "server $line" "-server" "server $line"
done
broken server-directive-unknown dies "a word that there is not" "foobar x"
broken server-directive-unknown dies "... in a file that is included" "config CASE/more.conf" "=run echo foobar >more.conf"
broken server-directive-unknown dies "an end without its beginning" "</ca>"
broken server-directive-unknown dies "a directive for Windows" block-outside-dns
broken server-directive-later dies "a directive of 2.7" "dns-updown x"
broken server-directive-arguments dies "keepalive 5" "-keepalive" "keepalive 5"
broken server-directive-arguments dies "server without a netmask" "-server" "server NETWORK.0"
broken server-directive-arguments dies "auth without a digest" "-auth" "auth"
broken server-directive-misplaced dies "ifconfig-push" "ifconfig-push NETWORK.2 NETWORK.1"
broken server-directive-misplaced dies "a directive that shows something" show-tls
broken server-directive-misplaced dies "a block in place of an argument" "<verb>" 3 "</verb>"
broken server-directive-value dies "topology foo" "-topology" "topology foo"
broken server-directive-value dies "a service that there is not" "-port" "port openvpnn"
broken server-directive-value dies "a tun-mtu that is no number" "tun-mtu x"
broken server-user-unknown dies "a user that there is not" "user nosuchuser" persist-key persist-tun

# ---- no answer, no handshake ----
broken server-proto refused "UDP against TCP" -- "-proto" "proto tcp"
broken server-proto refused "TCP against UDP" "-proto" "proto tcp-server"
broken server-port refused "another port" "-port" "port 1999"
broken server-port refused "a port above 65535, of which 16 bits count" "-port" "port 70000"
broken server-port refused "port 0, which the system picks" "-port" "port 0"
broken server-port refused "the port and the protocol of two remotes" -- "-remote " "remote $NETNS_SERVER PORT tcp" "remote $NETNS_SERVER 1998 udp"
broken server-max-clients refused "max-clients 0" "max-clients 0"
broken server-max-clients refused "max-clients that is no number" "max-clients many"
broken server-family refused "IPv6 alone" "-proto" "proto udp6" "bind ipv6only"
broken server-family refused "IPv6 against udp" -- "-proto|remote " "proto udp6" "remote $six PORT"
broken server-family refused "... over TCP" "-proto" "proto tcp-server" -- "-proto|remote " "proto tcp6-client" "remote $six PORT"
works "IPv6 against udp6" "-proto" "proto udp6" -- "-proto|remote " "proto udp6" "remote $six PORT"
works "... over TCP" "-proto" "proto tcp6-server" -- "-proto|remote " "proto tcp6-client" "remote $six PORT"
broken server-tls-auth refused "tls-auth on the server alone" "tls-auth $pki/ta.key 0"
broken server-tls-auth refused "tls-auth on the phone alone" -- "key-direction 1" "<tls-auth>" "$(cat "$pki/ta.key")" "</tls-auth>"
broken server-tls-auth refused "one direction on both" "tls-auth $pki/ta.key 1" -- "key-direction 1" "<tls-auth>" "$(cat "$pki/ta.key")" "</tls-auth>"
broken server-tls-auth refused "a direction on one side" "tls-auth $pki/ta.key 0" -- "<tls-auth>" "$(cat "$pki/ta.key")" "</tls-auth>"
broken server-tls-auth refused "another key" "tls-auth $pki/ta2.key 0" -- "key-direction 1" "<tls-auth>" "$(cat "$pki/ta.key")" "</tls-auth>"
broken server-tls-crypt refused "tls-crypt" "tls-crypt $pki/ta.key"
broken server-tls-crypt refused "tls-crypt-v2" "tls-crypt-v2 $pki/v2.key"
broken server-tls-version refused "no tls-version-min" "-tls-version-min"
broken server-tls-version refused "tls-version-min 1.2" "-tls-version-min" "tls-version-min 1.2"
broken server-security-level refused "OpenVPN's default suites and level" "-tls-cipher"
broken server-security-level refused "level 1" "-tls-cipher" "tls-cipher DEFAULT:@SECLEVEL=1"
broken server-security-level refused "the profile preferred" "-tls-cipher" "tls-cert-profile preferred"
broken server-tls-suites refused "suites of later clients only" "-tls-cipher" "tls-cipher ECDHE-RSA-AES256-GCM-SHA384:@SECLEVEL=0"
broken server-tls-suites refused "static RSA against ECDHE" "-tls-cipher" "tls-cipher AES256-SHA:@SECLEVEL=0" -- \
	"tls-cipher ECDHE-RSA-AES256-SHA" ++ "--tls-cipher ECDHE-RSA-AES256-SHA:@SECLEVEL=0"
for suite in AES256-SHA CAMELLIA256-SHA; do
	broken server-tls-suites refused "$suite with tls-cert-profile insecure" "-tls-cipher" "tls-cert-profile insecure" -- "tls-cipher $suite" \
		++ "--tls-cipher $suite:@SECLEVEL=0"
done
broken server-tls-suites refused "CAMELLIA256-SHA is not in DEFAULT" -- "tls-cipher CAMELLIA256-SHA" ++ "--tls-cipher CAMELLIA256-SHA:@SECLEVEL=0"
works "... but in ALL" "-tls-cipher" "tls-cipher ALL:@SECLEVEL=0" -- "tls-cipher CAMELLIA256-SHA" ++ "--tls-cipher CAMELLIA256-SHA:@SECLEVEL=0"
broken server-cert-not-rsa refused "an EC certificate" "-cert|key" "cert $pki/ec-server.crt" "key $pki/ec.key"
broken server-tls-suites refused "no curve that both have, and no static RSA" "tls-groups X448" "-tls-cipher" "tls-cert-profile insecure" \
	++ "--tls-groups secp256r1:secp384r1"
broken server-cert-purpose refused "no extendedKeyUsage" "-cert" "cert $pki/no-purpose-server.crt"
broken server-cert-purpose refused "no keyUsage" "-cert" "cert $pki/no-usage-server.crt"
broken server-cert-purpose refused "no extensions" "-cert" "cert $pki/bare-server.crt"
broken server-cert-purpose refused "a phone's certificate" "-cert" "cert $pki/client-server.crt"
broken server-cert-purpose refused "... and a phone that does not ask" "-cert" "cert $pki/client-server.crt" -- "-remote-cert-tls"
broken server-cert-name refused "another name" -- "verify-x509-name vpn name"
broken server-cert-name refused "... another beginning" -- "verify-x509-name erver name-prefix"
broken server-cert-name refused "... another subject" -- "verify-x509-name server"
broken server-cert-expired refused "the server's certificate is past" "-cert" "cert $pki/past-server.crt"
broken server-cert-not-yet refused "... is not valid yet" "-cert" "cert $pki/future-server.crt"
broken server-cert-chain refused "the server has a new CA" "-cert|ca " "cert $pki/stranger-server.crt" "ca $pki/both.crt"
broken server-cert-chain refused "... an intermediate that it does not send" "-cert" "cert $pki/below.crt"

# ---- refused by the server ----
broken server-phone-ca refused "the phone has a new CA" "=cert stranger key" "=ca both"
broken server-phone-ca refused "... an intermediate that nobody has" "=cert below-phone key"
broken server-phone-refused refused "the phone's certificate is past" "=cert past key"
broken server-phone-refused refused "... is a server's" "=cert server-phone key"
broken server-phone-revoked refused "... is revoked" "=cert revoked key" "crl-verify $pki/crl-revoked.pem"
broken server-phone-revoked refused "... is revoked by a folder" "=cert revoked key" "crl-verify $pki/serials-revoked dir"
broken server-phone-purpose refused "... has no extensions, and remote-cert-tls client" "=cert bare key" "remote-cert-tls client"
broken server-phone-purpose refused "remote-cert-tls server, which is the phone's to say" "remote-cert-tls server"
broken server-phone-purpose refused "... ns-cert-type server" "ns-cert-type server"
broken server-phone-purpose refused "... remote-cert-eku for a server" 'remote-cert-eku "TLS Web Server Authentication"'
broken server-phone-purpose refused "... by its numbers" "remote-cert-eku 1.3.6.1.5.5.7.3.1"
broken server-phone-purpose refused "... behind remote-cert-tls client" "remote-cert-tls client" 'remote-cert-eku "TLS Web Server Authentication"'
broken server-phone-purpose refused "no extensions, and remote-cert-eku" "=cert bare key" 'remote-cert-eku "TLS Web Client Authentication"'
broken server-phone-purpose refused "remote-cert-ku of none of the phone's" "remote-cert-ku 08 c0"
works "... of one of them" "remote-cert-ku 08 80"
broken server-phone-refused refused "the fingerprint of another" "peer-fingerprint $(printf '%064d' 0 | sed 's/../&:/g; s/:$//')"
works "... of the phone" "peer-fingerprint $(openssl x509 -in "$pki/phone.crt" -noout -fingerprint -sha256 | cut -d= -f2)"
works "... in front of remote-cert-tls client" 'remote-cert-eku "TLS Web Server Authentication"' "remote-cert-tls client"
works "remote-cert-eku for a client" 'remote-cert-eku "TLS Web Client Authentication"'
works "... by its numbers" "remote-cert-eku 1.3.6.1.5.5.7.3.2"
works "ns-cert-type server, and a phone without extensions" "ns-cert-type server" "=cert bare key"
broken server-phone-name refused "... has another name" "verify-x509-name vpn- name-prefix"
broken server-crl-expired refused "the CRL has expired" "crl-verify $pki/crl-past.pem"
broken server-crl-expired refused "... that of the phone's CA" "-ca " "ca $pki/both.crt" "crl-verify $pki/crl-one-past.pem"
broken server-crl-not-yet refused "the CRL is not valid yet" "crl-verify $pki/crl-future.pem"
broken server-crl-empty refused "an empty CRL file" "crl-verify $pki/crl-empty.pem"
broken server-crl-empty refused "a CRL file of garbage" "crl-verify $pki/crl-garbage.pem"
for crl in /dev/null "$pki/serials-revoked"; do
	broken server-crl-empty refused "crl-verify $crl" "crl-verify $crl"
done
broken server-crl-unreadable refused "the CRL is root's, and is replaced" "user nobody" "group nogroup" persist-key persist-tun \
	"crl-verify CASE/crl.pem" "=run cp $pki/crl.pem crl.pem; chmod 600 crl.pem" "=hook cat $pki/crl-revoked.pem >crl.pem; touch -d '+1 hour' crl.pem"
# Which phones there are only --fleet knows: 68-check-server-command.sh.
cat >"$T/one-more" <<-'HOOK'
	{ sed '/<cert>/,/<\/cert>/d' client.ovpn; echo '<cert>'; cat "$PKI/second.crt"; echo '</cert>'; } >second.ovpn
	ip netns exec "$PHONE" timeout 40 openvpn --config second.ovpn --tls-version-max 1.0 --tls-version-min 1.0 \
		--tls-cipher "$SUITES" --data-ciphers AES-256-CBC >second.log 2>&1 &
	echo $! >hook.pid
	for ((i = 0; i < 100; i++)); do grep -q 'Initialization Sequence Completed' second.log && exit; sleep 0.1; done
HOOK
export PKI=$pki
add - refused "max-clients 1, and a second phone" "max-clients 1" "=hook . $T/one-more"
add - works "max-clients 2, and a second phone" "max-clients 2" "=hook . $T/one-more"
broken server-password refused "a password" "script-security 2" "auth-user-pass-verify /bin/true via-file"
broken server-password refused "... for the management" "management CASE/socket unix" management-client-auth
pam=$(find /usr/lib -name openvpn-plugin-auth-pam.so -print -quit 2>/dev/null)
[ -z "$pam" ] || broken server-password refused "... for PAM" "plugin $pam login"
broken server-script-security refused "client-connect without script-security" "client-connect /bin/true"
broken server-script-security refused "tls-verify without script-security" "tls-verify /bin/true"
broken server-ccd-exclusive refused "ccd-exclusive, and no file" "client-config-dir $pki" ccd-exclusive
broken server-ccd-exclusive refused "... and DEFAULT" "client-config-dir CASE" ccd-exclusive "=run : >DEFAULT"
broken server-ccd-disabled refused "disable in DEFAULT" "client-config-dir CASE" "=run echo disable >DEFAULT"
broken server-ccd-disabled refused "disable" "client-config-dir CASE" "=run echo disable >phone"
broken server-data-cipher refused "no CBC cipher" "-data-ciphers" "data-ciphers AES-256-GCM:AES-128-GCM"
broken server-data-cipher refused "no data-ciphers" "-data-ciphers"
broken server-data-cipher refused "the fallback alone" "-data-ciphers" "data-ciphers AES-256-GCM" "data-ciphers-fallback AES-256-CBC"
broken server-data-cipher refused "cipher alone" "-data-ciphers" "cipher AES-256-CBC"
broken server-data-cipher refused "an optional cipher that is not there, and it is the phone's" "-data-ciphers" \
	"data-ciphers AES-256-GCM:?BF-CBC" -- "-cipher" ++ "--providers legacy default" "--cipher BF-CBC --data-ciphers BF-CBC"

# ---- connects, and nothing passes ----
broken server-dev no-data "tap against tun" "-dev" "dev tap"
broken server-auth no-data "auth SHA256 against SHA1" "-auth" "auth SHA256"
broken server-auth no-data "SHA1 by default against SHA256" "-auth" -- "-auth" "auth SHA256"
broken server-comp no-data "comp-lzo against nothing" -- "comp-lzo"
broken server-comp no-data "nothing against comp-lzo" "comp-lzo"
broken server-comp no-data "comp-lzo no against nothing" -- "comp-lzo no"
broken server-comp no-data "comp-lzo that compresses against comp-lzo no" "comp-lzo no" -- "comp-lzo" ++ "--allow-compression yes" \
	"--pull-filter ignore comp-lzo"
broken server-comp no-data "nothing, of a client that takes no push, against comp-lzo no" "comp-lzo no" 'push "comp-lzo no"' \
	++ "--pull-filter ignore comp-lzo"
for alg in "" " stub" " lz4"; do
	broken server-comp no-data "comp-lzo against compress$alg" "compress$alg" -- "comp-lzo" ++ "--pull-filter ignore comp"
	broken server-comp no-data "nothing against compress$alg" "compress$alg" ++ "--pull-filter ignore comp"
done
for alg in stub-v2 lz4-v2; do
	broken server-comp no-data "comp-lzo against compress $alg" "compress $alg" -- "comp-lzo" ++ "--pull-filter ignore comp"
	works "nothing against compress $alg, which leaves packets alone" "compress $alg" ++ "--pull-filter ignore comp"
done
broken server-comp no-data "nothing against compress lz4-v2 that compresses" "compress lz4-v2" "allow-compression yes" ++ "--pull-filter ignore comp"
broken server-fragment no-data "fragment on the server alone" "fragment 1300"
broken server-fragment no-data "fragment on the phone alone" -- "fragment 1300"
broken server-fragment no-data "... in its <connection>" -- "-remote " "<connection>" "remote $NETNS_SERVER PORT" "fragment 1300" "</connection>"
broken server-replay no-data "no-replay on the server alone" no-replay
broken server-replay no-data "no-replay on the phone alone" -- no-replay
broken server-topology-push no-data "mode server, and the topology is not pushed" "${expanded[@]}"
broken server-topology-push no-data "push-reset" "client-config-dir CASE" "=run echo push-reset >phone"
broken server-topology-push no-data "push-remove topology" "client-config-dir CASE" "=run echo push-remove topology >phone"
broken server-no-address no-data "no pool, and no address of its own" "-server" "server NETWORK.0 255.255.255.0 nopool"
broken server-ccd-address no-data "an address of another network" "client-config-dir CASE" \
	"=run echo ifconfig-push 10.99.99.9 255.255.255.0 >phone"
broken server-ccd-address no-data "the server's own address" "client-config-dir CASE" \
	"=run echo ifconfig-push NETWORK.1 255.255.255.0 >phone" "=address $beyond" "push \"route $beyond\""
broken server-ccd-address refused "a netmask of its own" "client-config-dir CASE" \
	"=run echo ifconfig-push NETWORK.77 NETWORK.78 >phone"

# ---- what today's client does not show ----
older server-cert-purpose "no nsCertType, for ns-cert-type" "-cert" "cert $pki/no-netscape-server.crt" -- "-remote-cert-tls" "ns-cert-type server"
older server-cert-purpose "keyUsage digitalSignature alone, for remote-cert-tls" "-cert" "cert $pki/narrow-usage-server.crt"
older server-comp "comp-lzo against comp-lzo no" "comp-lzo no" -- "comp-lzo"
older server-comp "nothing against comp-lzo no with its push" "comp-lzo no" 'push "comp-lzo no"'

# ---- works, and deserves a word ----
warned server-key-readable "a key that others may read" "-key" "key CASE/open.key" "=run cp $pki/key.key open.key; chmod 644 open.key"
works "a key with a passphrase in a file" "-key" "key $pki/locked.key" "askpass CASE/word" "=run echo x >word; chmod 600 word"
suspect server-key-encrypted dies "... that nobody types" "-key" "key $pki/locked.key"
suspect server-loopback refused "loopback" "local 127.0.0.1"
suspect server-opt-verify refused "opt-verify" opt-verify
warned server-opt-verify "opt-verify, and cipher is the phone's" opt-verify "cipher AES-256-CBC"
warned server-keepalive "no keepalive" "-keepalive"
warned server-cert-expiring "a certificate of five days" "-cert" "cert $pki/soon-server.crt"
warned server-cert-weak "a certificate signed with SHA-1" "-cert" "cert $pki/sha1-server.crt" ++ "--tls-cert-profile insecure"
warned server-crl-expiring "a CRL of five days" "crl-verify $pki/crl-soon.pem"
warned server-crl-stale "the CRL of a CA without phones has expired" "-ca " "ca $pki/both.crt" "crl-verify $pki/crl-one-past.pem" "=cert stranger key"
warned server-crl-other "no CRL of the phone's CA" "crl-verify $pki/crl-other.pem"
warned server-user-restart "a user without persist-key" "user nobody" "group nogroup"
warned server-directive-ignored "a directive that 2.6 overlooks" tun-ipv6
warned server-directive-ignored "an unknown one behind setenv opt" "setenv opt foobar x"
warned server-directive-ignored "... behind ignore-unknown-option" "ignore-unknown-option foobar" "foobar x"
warned server-directive-ignored "... behind FORWARD_COMPATIBLE" "setenv FORWARD_COMPATIBLE 1" "foobar x"
warned server-keepalive "keepalive that is no number" "-keepalive" "keepalive a b"
warned server-mtu "another tun-mtu" "tun-mtu 1400"
warned server-route-remote "a route that holds the server" "push \"route 198.18.0.0 255.254.0.0\""
warned server-client-cert "clients without a certificate" "verify-client-cert optional" "script-security 2" \
	"auth-user-pass-verify /bin/true via-file" auth-user-pass-optional
warned server-ccd-unreadable "fixed addresses that the user cannot read" "user nobody" "group nogroup" persist-key persist-tun "client-config-dir CASE/ccd" \
	"=run mkdir -m 700 ccd; echo ifconfig-push NETWORK.77 255.255.255.0 >ccd/phone"
warned server-ccd-overlooked "an address without a netmask" "client-config-dir CASE" "=run echo ifconfig-push NETWORK.77 >phone"
warned server-ccd-overlooked "an address with a prefix" "client-config-dir CASE" "=run echo ifconfig-push NETWORK.77/24 255.255.255.0 >phone"
lets_in server-not-revoked "a revoked phone, and a folder that the user cannot read" "user nobody" "group nogroup" persist-key persist-tun \
	"crl-verify CASE/serials dir" "=cert revoked key" "=run cp -r $pki/serials-revoked serials; chmod 700 serials"
lets_in server-not-revoked "... and its file, which the user cannot read" "user nobody" "group nogroup" persist-key \
	persist-tun "crl-verify CASE/serials dir" "=cert revoked key" "=run cp -r $pki/serials-revoked serials; chmod 600 serials/*"
warned server-crl-dir-unreadable "a phone that is not revoked" "user nobody" "group nogroup" persist-key persist-tun \
	"crl-verify CASE/serials dir" "=run cp -r $pki/serials-revoked serials; chmod 700 serials"

# ---- all of them, several at a time ----
worker_pids=()
on_cleanup() {
	local pid name
	for pid in "${worker_pids[@]}"; do kill "$pid" 2>/dev/null; done
	for name in "${netns_names[@]}"; do
		for pid in $(ip netns pids "$(netns_name "$name")" 2>/dev/null); do kill "$pid" 2>/dev/null; done
	done
	wait
}
for ((w = 0; w < workers; w++)); do
	work "$w" &
	worker_pids+=($!)
done
wait "${worker_pids[@]}"
worker_pids=()

for ((i = 0; i < cases; i++)); do
	dir=$T/case/$i
	mapfile -t expected <"$dir/expected"
	is "$i ${expected[2]}: OpenVPN" "$(<"$dir/outcome")" "${expected[1]}" || tail -n 4 "$dir"/*.log | diag
	is "$i ${expected[2]}: check says ${expected[0]/#-/nothing}" "$(<"$dir/status")" 0 ||
		jq -r '.findings[] | "\(.severity) \(.rule): \(.text)"' "$dir/check.json" | diag
done
done_testing
