#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Behind a proxy that does not look into what it passes on: the PROXY protocol says whose each connection is, and only the
# proxy's word is taken for it.
. "$(dirname "$0")/lib.sh"

export PHONEVPN_DIR=$T/state
mac=000fd3006501
new=000fd3006001

phonevpn --quiet init --vpn-host vpn.example.com --url http://127.0.0.1:1 --ca-bits 2048 || bail_out "init"
phonevpn --quiet phone import "$SOURCE/doc/examples/fleet.csv" || bail_out "import"
echo secret >"$T/pass"
phonevpn --quiet phone set $mac --http-password-file "$T/pass"
phonevpn --quiet mint $mac $new || bail_out "mint"
phonevpn --quiet enroll open --network 192.0.2.0/24,127.0.0.6/32 2>"$T/open.err" || bail_out "enroll open"
md5=$(phonevpn emit md5 $mac)
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=phones -keyout "$T/privkey.pem" -out "$T/fullchain.pem" -days 2 2>"$T/req.err"

# up NAME OPTION...: a server that takes the word of 127.0.0.1 and ::1; $url is where
up() {
	local name=$1
	shift
	spawn "$name" phonevpn serve --listen 127.0.0.1:0 --trusted-proxy 127.0.0.1,::1 --proxy-protocol "$@"
	ok "serve --proxy-protocol${*:+ $*}" wait_until 10 printed "$name" 'listening on'
	url=$(sed -n 's/^listening on //p' "$T/$name.out")
	port=${url##*:}
}
# says HEADER [REQUEST]: what the server answers to a connection that begins with these bytes (printf's escapes)
says() {
	perl -MIO::Socket::INET -e '
		my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $ARGV[0], Timeout => 5) or die;
		local $/;
		syswrite $s, <STDIN>;
		shutdown $s, 1 if $ARGV[1];
		alarm 10;
		print <$s> // "";' "$port" "${3-}" < <(printf '%b' "$1${2-GET /000000000000.cfg HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n}") 2>"$T/says.err" | tr -d '\r\0' | head -n 1
}
logged() {
	printed "$1" "^phonevpn: $2"
}
v2='\r\n\r\n\x00\r\nQUIT\n'

# ---- curl's own version 1 ----
up server --max-per-address 5
is "a phone behind the proxy has its bundle" "$(curl -s --haproxy-protocol --digest -u $mac:secret -o "$T/body" -w '%{http_code}' "$url/ovpn/$md5/$mac.ovpn")" 200
is "... byte for byte" "$(md5sum <"$T/body" | cut -d' ' -f1)" "$md5"

# ---- versions 1 and 2, by hand of the specification ----
is "version 1" "$(says 'PROXY TCP4 192.0.2.21 192.0.2.2 56324 443\r\n')" "HTTP/1.1 200 OK"
ok "... its address is the client's" wait_until 10 logged server '192\.0\.2\.21 - - '
is "... with IPv6" "$(says 'PROXY TCP6 2001:db8::22 2001:db8::2 56324 443\r\n')" "HTTP/1.1 200 OK"
ok "... its address is the client's" wait_until 10 logged server '2001:db8::22 - - '
is "... of an unknown client" "$(says 'PROXY UNKNOWN\r\n')" "HTTP/1.1 200 OK"
ok "... has the proxy's" wait_until 10 logged server '127\.0\.0\.1 - - .*/000000000000'
is "version 2" "$(says "$v2"'\x21\x11\x00\x0c\xc0\x00\x02\x23\xc0\x00\x02\x02\xdc\x04\x01\xbb')" "HTTP/1.1 200 OK"
ok "... its address is the client's" wait_until 10 logged server '192\.0\.2\.35 - - '
is "... with IPv6, and something beside" "$(says "$v2"'\x21\x21\x00\x29\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x24\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\xdc\x04\x01\xbb\x04\x00\x02xx')" "HTTP/1.1 200 OK"
ok "... its address is the client's" wait_until 10 logged server '2001:db8::24 - - '
is "... of the proxy's own check" "$(says "$v2"'\x20\x00\x00\x00')" "HTTP/1.1 200 OK"
is "a request without a header: nothing" "$(says '')" ""
is "a broken header: nothing" "$(says 'PROXY TCP4 192.0.2.300 192.0.2.2 1 1\r\n')" ""
ok "... the log says whose" wait_until 10 logged server 'warning: PROXY protocol: 127\.0\.0\.1: expected a header'
is "a header that ends in the middle: nothing" "$(says 'PROXY TCP4 192.0.2.1' '' end)" ""
is "one that never ends: nothing, in a few seconds" "$(says 'PROXY TCP4 192.0.2.1' '')" ""
ok "... and the log says so" wait_until 10 logged server 'warning: PROXY protocol: 127\.0\.0\.1: expected a header, found none in time'
# received COUNT: so many bytes of a header wait at the server
received() {
	ss -tnH state established "sport = :$port" | awk -v count="$1" '$1 == count { found = 1 } END { exit !found }'
}
text='PROXY TCP4 192.0.2.25 192.0.2.2 56324 443'
exec 8<>"/dev/tcp/127.0.0.1/$port"
for ((i = 0; i < ${#text}; i += 7)); do
	printf %s "${text:i:7}" >&8
	wait_until 2 received $((i + 7 < ${#text} ? i + 7 : ${#text})) | diag
done
printf '\r\n' >&8
printf 'GET /000000000000.cfg HTTP/1.1\r\nHost: a\r\n\r\n' >&8
read -r -t 10 answer <&8
like "a header that comes in pieces" "$answer" '200 OK'
exec 8>&-
ok "... is the client's" wait_until 10 logged server '192\.0\.2\.25 - - '

# ---- nobody else ----
is "anybody else is not listened to" "$(curl -s --interface 127.0.0.2 --haproxy-protocol -o "$T/body" -w '%{http_code}' "$url/000000000000.cfg")" 000
ok "... which the log has" wait_until 10 logged server 'warning: PROXY protocol: 127\.0\.0\.2: closed'
is "who the header names cannot name another" "$(says 'PROXY TCP4 192.0.2.26 192.0.2.2 1 1\r\n' 'GET /x HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.66\r\nConnection: close\r\n\r\n')" "HTTP/1.1 404 Not Found"
ok "... its own address is in the log" wait_until 10 logged server '192\.0\.2\.26 - - '
is "but a proxy behind the proxy can" "$(says 'PROXY TCP4 127.0.0.1 192.0.2.2 1 1\r\n' 'GET /x HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.27\r\nConnection: close\r\n\r\n')" "HTTP/1.1 404 Not Found"
ok "... the address that it names is in the log" wait_until 10 logged server '192\.0\.2\.27 - - '
unlike "192.0.2.66 is nowhere" "$(cat "$T/server.err")" '192\.0\.2\.66'
is "enrolment's networks are compared with the address of the header" "$(says 'PROXY TCP4 198.51.100.1 192.0.2.2 1 1\r\n' "GET /$new.cfg HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")" "HTTP/1.1 401 Unauthorized"
is "... in them a phone enrolls" "$(says 'PROXY TCP4 192.0.2.28 192.0.2.2 1 1\r\n' "GET /$new.cfg HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")" "HTTP/1.1 200 OK"
like "... and the event has its own address" "$(phonevpn events $new)" 'phone\.enroll.*from 192\.0\.2\.28'

# ---- an address' share is the client's ----
spawn greedy perl -MIO::Socket::INET -e '
	$| = 1;
	my @s = map { my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $ARGV[0]) or die; syswrite $s, "PROXY TCP4 192.0.2.29 192.0.2.2 1 1\r\nGET"; $s } 1 .. 5;
	print "up\n";
	sleep 60;' "$port"
wait_until 10 printed greedy up
full() {
	[ "$(says 'PROXY TCP4 192.0.2.29 192.0.2.2 1 1\r\n')" = "HTTP/1.1 503 Service Unavailable" ]
}
ok "one client's share of connections" wait_until 10 full
is "... is not another's" "$(says 'PROXY TCP4 192.0.2.30 192.0.2.2 1 1\r\n')" "HTTP/1.1 200 OK"
stop greedy

# ---- many at once, and the end ----
for ((i = 0; i < 300; i++)); do
	printf 'haproxy-protocol\ndigest\nuser = "%s:secret"\nurl = "%s/ovpn/%s/%s.ovpn"\noutput = "%s/many.%d"\nsilent\nnext\n' $mac "$url" "$md5" $mac "$T" "$i"
done | sed '$d' >"$T/many.conf"
curl --parallel --parallel-immediate --parallel-max 100 -K "$T/many.conf" 2>"$T/many.err"
is "300 bundles, 100 at once" "$(md5sum "$T"/many.* | grep -c "^$md5 ")" 300
ok "it ends in order" stop server
is "the port is free again" "$(says 'PROXY UNKNOWN\r\n')" ""
ok "without a proxy that is trusted: usage" fails_with 2 phonevpn serve --listen 127.0.0.1:0 --proxy-protocol

# ---- TLS, which the proxy only passes on ----
up tls --tls-cert "$T/fullchain.pem" --tls-key "$T/privkey.pem"
is "HTTPS behind the header" "$(curl -sk --haproxy-protocol --digest -u $mac:secret -o "$T/body" -w '%{http_code}' "$url/ovpn/$md5/$mac.ovpn")" 200
stop tls

# ---- HAProxy's own versions 1 and 2, as doc/examples says ----
up behind
if command -v haproxy >"$T/out"; then
	for version in send-proxy send-proxy-v2; do
		front=$(free_port)
		cat >"$T/haproxy.cfg" <<-CFG
			defaults
				mode tcp
				timeout connect 5s
				timeout client 60s
				timeout server 60s
			frontend phones
				bind 127.0.0.1:$front
				default_backend phonevpn
			backend phonevpn
				server one 127.0.0.1:$port $version check
		CFG
		spawn haproxy haproxy -db -f "$T/haproxy.cfg"
		served() {
			[ "$(curl -s --interface 127.0.0.2 --max-time 5 --digest -u $mac:secret -o "$T/body" -w '%{http_code}' "http://127.0.0.1:$front/ovpn/$md5/$mac.ovpn")" = 200 ]
		}
		: >"$T/body"
		ok "HAProxy, $version: a phone has its bundle" wait_until 10 served
		is "... byte for byte" "$(md5sum <"$T/body" | cut -d' ' -f1)" "$md5"
		ok "... and is the client in the log" wait_until 10 logged behind "127\.0\.0\.2 - $mac "
		curl -s --interface 127.0.0.3 -A "made-up-$version" -H 'X-Forwarded-For: 192.0.2.66' "http://127.0.0.1:$front/$mac.cfg" >"$T/body"
		ok "HAProxy, $version: an address that a client makes up is not believed" wait_until 10 logged behind "127\.0\.0\.3 - - .*made-up-$version"
		stop haproxy
	done
else
	skip 8 "no haproxy (package haproxy)"
fi
ok "it still lives" lives behind
ok "it ends in order" stop behind

# ---- a socket of the service manager ----
if command -v systemd-socket-activate >"$T/out"; then
	port=$(free_port)
	spawn activated systemd-socket-activate -E PHONEVPN_DIR -l "127.0.0.1:$port" phonevpn serve --trusted-proxy 127.0.0.1 --proxy-protocol
	wait_until 10 printed activated 'Listening on'
	is "with a socket of systemd" "$(says 'PROXY TCP4 192.0.2.31 192.0.2.2 1 1\r\n')" "HTTP/1.1 200 OK"
	ok "... it ends in order" stop activated
else
	skip 2 "no systemd-socket-activate (package systemd)"
fi
done_testing
