#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Behind nginx and HAProxy, as doc/examples sets them up: each phone is who it is, and nobody can say that he is another.
. "$(dirname "$0")/lib.sh"

export PHONEVPN_DIR=$T/state
mac=000fd3006501

phonevpn --quiet init --vpn-host vpn.example.com --url http://127.0.0.1:1 --ca-bits 2048 || bail_out "init"
phonevpn --quiet phone import "$SOURCE/doc/examples/fleet.csv" || bail_out "import"
echo secret >"$T/pass"
phonevpn --quiet phone set $mac --http-password-file "$T/pass"
declare -A new=([nginx]=000fd3006001 [haproxy]=000fd3006201)
phonevpn --quiet mint $mac "${new[@]}" || bail_out "mint"
phonevpn --quiet enroll open --network 127.0.0.6/32,192.0.2.66/32 2>"$T/open.err" || bail_out "enroll open"
md5=$(phonevpn emit md5 $mac)

spawn serve phonevpn serve --listen 127.0.0.1:0 --trusted-proxy 127.0.0.1
wait_until 10 printed serve '^listening on' || bail_out "serve"
direct=$(sed -n 's/^listening on //p' "$T/serve.out")
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=phones -keyout "$T/privkey.pem" -out "$T/fullchain.pem" -days 2 2>"$T/req.err"
cat "$T/fullchain.pem" "$T/privkey.pem" >"$T/both.pem"

# set_up FILE PORT: an example, with the paths and ports of this script
set_up() {
	sed "s,listen 443,listen 127.0.0.1:$2,; s,bind :443,bind 127.0.0.1:$2,; s,/etc/ssl/phones/,$T/,; s,127\.0\.0\.1:8080,${direct#http://}," \
		"$SOURCE/doc/examples/$1"
}
nginx_start() {
	local t=$T/nginx.tmp
	mkdir -p "$t"
	set_up nginx.conf "$1" >"$t/phones.conf"
	{
		[ "$(id -u)" -ne 0 ] || echo "user root;"
		cat <<-CONF
			daemon off; pid $t/pid; worker_processes 1;
			events { worker_connections 64; }
			http {
				access_log off;
				client_body_temp_path $t/b; proxy_temp_path $t/p; fastcgi_temp_path $t/f;
				uwsgi_temp_path $t/u; scgi_temp_path $t/s;
				include $t/phones.conf;
			}
		CONF
	} >"$t/conf"
	spawn nginx nginx -e "$t/log" -c "$t/conf"
}
haproxy_start() {
	set_up haproxy.cfg "$1" >"$T/haproxy.cfg"
	spawn haproxy haproxy -db -f "$T/haproxy.cfg"
}
# from N OPTION... URL: the status that the client 127.0.0.N gets
from() {
	curl -sk -o "$T/body" -D "$T/head" -w '%{http_code}' --max-time 10 --interface "127.0.0.$1" "${@:2}"
}
logged() {
	printed serve "^phonevpn: $1"
}
# digest NONCE PATH: RFC 2617 section 3.2.2.1, without qop
digest() {
	local md5="md5sum | cut -d' ' -f1" a1 a2
	a1=$(printf '%s' "$mac:phonevpn:secret" | sh -c "$md5")
	a2=$(printf '%s' "GET:$2" | sh -c "$md5")
	printf 'Authorization: Digest username="%s", realm="phonevpn", nonce="%s", uri="%s", response="%s"' \
		$mac "$1" "$2" "$(printf '%s' "$a1:$1:$a2" | sh -c "$md5")"
}
for proxy in nginx haproxy; do
	command -v $proxy >"$T/out" || {
		skip 14 "no $proxy (package $proxy)"
		continue
	}
	port=$(free_port)
	url=https://127.0.0.1:$port
	"${proxy}_start" "$port"
	ok "$proxy as in doc/examples" wait_until 10 curl -sk -o "$T/body" "$url"
	is "$proxy: a phone has its bundle" "$(from 2 --digest -u "$mac:secret" "$url/ovpn/$md5/$mac.ovpn")" 200
	is "... byte for byte" "$(md5sum <"$T/body" | cut -d' ' -f1)" "$md5"
	ok "... and is the client in the log" wait_until 10 logged "127\.0\.0\.2 - $mac .*$md5"
	from 3 --digest -u "$mac:wrong" "$url/$mac.cfg" >"$T/code"
	ok "$proxy: who guesses passwords is told by his own address" wait_until 10 logged 'warning: login failed from 127\.0\.0\.3: wrong'
	from 4 -A "made-up-$proxy" -H 'X-Forwarded-For: 192.0.2.66' "$url/$mac.cfg" >"$T/code"
	ok "$proxy: an address that a client makes up is not believed" wait_until 10 logged "127\.0\.0\.4 - - .*made-up-$proxy"
	is "$proxy: a challenge" "$(from 2 "$url/$mac.cfg")" 401
	nonce=$(sed -n 's/^WWW-Authenticate: Digest .*nonce="\([^"]*\)".*/\1/Ip' "$T/head" | head -n 1)
	is "... serves another address nothing" "$(from 3 -H "$(digest "$nonce" /$mac.cfg)" "$url/$mac.cfg")" 401
	is "... and its own the XML" "$(from 2 -H "$(digest "$nonce" /$mac.cfg)" "$url/$mac.cfg")" 200
	phone=${new[$proxy]}
	is "$proxy: a phone outside of the networks does not enroll" "$(from 7 "$url/$phone.cfg")" 401
	is "... nor by an address of them that it makes up" "$(from 7 -H 'X-Forwarded-For: 127.0.0.6' "$url/$phone.cfg")" 401
	is "... nor by one behind its own" "$(from 7 -H 'X-Forwarded-For: 127.0.0.6, 192.0.2.66' "$url/$phone.cfg")" 401
	is "$proxy: one in them enrolls" "$(from 6 "$url/$phone.cfg")" 200
	like "... and the event has its own address" "$(phonevpn events "$phone")" 'phone\.enroll.*0\.0\.6 '
	stop $proxy
done
from 5 -A direct -H 'X-Forwarded-For: 192.0.2.66' "$direct/$mac.cfg" >"$T/code"
ok "who comes without a proxy is not believed either" wait_until 10 logged '127\.0\.0\.5 - - .*direct'
phonevpn --quiet phone reset "${new[nginx]}" || bail_out "reset"
is "... and does not enroll by such an address" "$(from 5 -H 'X-Forwarded-For: 127.0.0.6' "$direct/${new[nginx]}.cfg")" 401
unlike "192.0.2.66 is nowhere" "$(cat "$T/serve.err")" '192\.0\.2\.66'
ok "a list that is none: usage" fails_with 2 phonevpn serve --trusted-proxy 127.0.0.1/0
ok "it ends in order" stop serve
done_testing
