#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The HTTP server: who gets in, what a stranger learns, and what it says to requests that are none.
. "$(dirname "$0")/lib.sh"

export PHONEVPN_DIR=$T/state
mac=000fd3006501
other=000fd3006001

phonevpn --quiet init --vpn-host vpn.example.com --url http://127.0.0.1:1 --ca-bits 2048 || bail_out "init"
phonevpn --quiet phone import "$SOURCE/doc/examples/fleet.csv" || bail_out "import"
echo 'pass:word@1' >"$T/pass"
phonevpn --quiet phone set $mac --http-password-file "$T/pass"
phonevpn --quiet phone set $other --http-password-file "$T/pass"
phonevpn --quiet mint $mac $other || bail_out "mint"
md5=$(phonevpn emit md5 $mac)
other_md5=$(phonevpn emit md5 $other)

# up NAME OPTION...: a server; $url is where.
up() {
	local name=$1
	shift
	spawn "$name" phonevpn serve --listen 127.0.0.1:0 "$@"
	ok "serve $*" wait_until 10 printed "$name" 'listening on'
	url=$(sed -n 's/^listening on //p' "$T/$name.out")
	host=${url#*://}
}
# status OPTION... PATH: the HTTP status that curl gets
status() {
	curl -sk -o "$T/body" -D "$T/head" -w '%{http_code}' "${@:1:$#-1}" "$url${*: -1}"
}
login="$mac:pass:word@1"

# ---- digest ----
up digest
phonevpn config set url "$url"
is "no login: 401" "$(status /$mac.cfg)" 401
like "... with a digest challenge" "$(cat "$T/head")" '^WWW-Authenticate: Digest .*realm="phonevpn"'
is "an unknown phone looks the same" "$(status /000fd3999999.cfg)" 401
is "digest: the XML" "$(status --digest -u "$login" /$mac.cfg)" 200
ok "... is well-formed" xmllint --noout "$T/body"
is "digest: the bundle" "$(status --digest -u "$login" /ovpn/"$md5"/$mac.ovpn)" 200
is "... with the right bytes" "$(md5sum <"$T/body" | cut -d' ' -f1)" "$md5"
like "... and its ETag" "$(cat "$T/head")" "^ETag: \"$md5\""
is "HEAD too" "$(status --digest -u "$login" -I /ovpn/"$md5"/$mac.ovpn)" 200
is "a wrong password: 401" "$(status --digest -u "$mac:wrong" /$mac.cfg)" 401
is "an unknown user: 401" "$(status --digest -u "000fd3999999:wrong" /$mac.cfg)" 401
is "basic is not taken here" "$(status --basic -u "$login" /$mac.cfg)" 401
is "another phone's XML: 404" "$(status --digest -u "$login" /$other.cfg)" 404
is "another phone's bundle: 404" "$(status --digest -u "$login" /ovpn/"$other_md5"/$other.ovpn)" 404
is "an unknown phone's: the same" "$(status --digest -u "$login" /000fd3999999.cfg)" 404
is "another md5 of its own: 404" "$(status --digest -u "$login" /ovpn/"$other_md5"/$mac.ovpn)" 404
is "the generic document needs no login" "$(status /000000000000.cfg)" 200
unlike "... and has no secret" "$(cat "$T/body")" "@|password|md5|ovpn"
for path in / /index.html /$mac.CFG /000FD3006501.cfg /$mac.cfg/ "/ovpn/$md5" "/ovpn//$mac.ovpn" /../$mac.cfg /%2e%2e/etc/passwd; do
	is "$path: 404 without a challenge" "$(status --path-as-is "$path")" 404
done
is "POST: 405" "$(status -d x=1 /$mac.cfg)" 405
like "... with what is allowed" "$(cat "$T/head")" "^Allow: GET, HEAD"
is "DELETE: 405" "$(status -X DELETE /$mac.cfg)" 405

# ---- requests that are none ----
# raw TEXT: the status that the server answers with
raw() {
	printf '%b' "$1" | timeout 5 nc -q 3 "${host%:*}" "${host##*:}" 2>/dev/null | head -n 1 | tr -d '\r' | cut -d' ' -f2
}
long() {
	head -c "$1" /dev/zero | tr '\0' a
}
# libmicrohttpd answers nothing to a line that is no request line; that it goes on is what counts.
is "no HTTP at all: closed" "$(raw 'hello\r\n\r\n')" ""
is "no Host in HTTP/1.1: 400" "$(raw 'GET / HTTP/1.1\r\n\r\n')" 400
is "a Content-Length that is no number: 400" "$(raw 'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n')" 400
is "an over-long URL: 414" "$(status "/$(long 70000)")" 414
is "a long URL: 414" "$(status "/$(long 2100)")" 414
is "an over-long header: 431" "$(status -H "X: $(long 70000)" /$mac.cfg)" 431
is "a long header: 431" "$(status -H "X: $(long 2600)" /$mac.cfg)" 431
is "an unknown method: 405" "$(status -X FETCH /$mac.cfg)" 405
is "a long method: 405" "$(status -X "$(long 1000)" /$mac.cfg)" 405
like "an over-long method: refused" "$(status -X "$(long 70000)" /$mac.cfg)" '^(400|405|414)$'
is "a broken login: 400" "$(status -H 'Authorization: Digest username="x' /$mac.cfg)" 400
is "it still serves" "$(status --digest -u "$login" /$mac.cfg)" 200

# ---- many at once, and while somebody mints ----
{
	for i in $(seq 200); do printf 'url = "%s/ovpn/%s/%s.ovpn"\noutput = "%s/many.%s"\n' "$url" "$md5" $mac "$T" "$i"; done
} >"$T/many.conf"
phonevpn --quiet mint --all --renew &
minting=$!
ok "200 fetches in parallel while the fleet is renewed" curl -sS --fail-early --parallel --parallel-max 50 --digest -u "$login" -K "$T/many.conf"
wait $minting
is "... all with the bytes of their md5" "$(md5sum "$T"/many.* | grep -c "^$md5 ")" "$(($(find "$T" -name 'many.[0-9]*' | wc -l)))"
is "... all 200" "$(find "$T" -name 'many.[0-9]*' | wc -l)" 200
unlike "the log has no password and no login in it" "$(cat "$T/digest.err")" 'pass:word|pass%3A|[Rr]esponse="|nonce='
like "the log names MAC, md5, status and bytes" "$(cat "$T/digest.err")" "$mac.*$md5.*200"

# ---- a port in use ----
ok "a port in use: conflict" fails_with 4 phonevpn serve --listen "$host"
like "... in one line" "$(cat "$T/err" "$T/out")" "$host"
ok "an address that is none: usage" fails_with 2 phonevpn serve --listen nowhere
ok "a --base-dir that is not there: refused" fails_with 3 phonevpn serve --listen 127.0.0.1:0 --base-dir "$T/nowhere"
ok "... by export, too" fails_with 3 phonevpn export --out "$T/x" --base-dir "$T/nowhere"
ok "an unknown --auth: usage" fails_with 2 phonevpn serve --auth ntlm
ok "SIGTERM ends it in order" stop digest

# ---- basic, none, a base folder, TLS, a path ----
up basic --auth basic
is "basic" "$(status --basic -u "$login" /$mac.cfg)" 200
is "basic, wrong password" "$(status --basic -u "$mac:wrong" /$mac.cfg)" 401
like "... challenge" "$(cat "$T/head")" '^WWW-Authenticate: Basic realm="phonevpn"'
like "a warning that it is in the clear" "$(cat "$T/basic.err")" "warning"
stop basic

mkdir "$T/base"
echo '<config><setting id="time_zone" value="Europe/Berlin"/></config>' >"$T/base/$mac.cfg"
up none --auth none --base-dir "$T/base"
is "none" "$(status /$mac.cfg)" 200
is "the admin's own document" "$(xmllint --xpath 'string(/config/setting[@id="time_zone"]/@value)' "$T/body")" Europe/Berlin
is "... with our settings" "$(xmllint --xpath 'string(/config/setting[@id="openvpn_inline_config"]/@md5)' "$T/body")" "$(phonevpn emit md5 $mac)"
is "none, an unknown phone" "$(status /000fd3999999.cfg)" 404
rm "$T/base/$mac.cfg" && mkfifo "$T/base/$mac.cfg"
is "a FIFO in its place: 500, and nobody waits" "$(status --max-time 5 /$mac.cfg)" 500
mv "$T/base" "$T/away"
is "the folder has gone: 500, and no phone gets a document without the admin's settings" "$(status /$other.cfg)" 500
mv "$T/away" "$T/base" && rm "$T/base/$mac.cfg"
echo '<config>' >"$T/base/$mac.cfg"
is "a broken document: 500, no half of it" "$(status /$mac.cfg)" 500
like "... and the log says where" "$(cat "$T/none.err")" "$T/base/$mac.cfg"
is "... other phones are served" "$(status /$other.cfg)" 200
stop none

openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -keyout "$T/tls.key" -out "$T/tls.crt" -days 2 2>"$T/req.err"
phonevpn config set url https://127.0.0.1/phones/a
up tls --tls-cert "$T/tls.crt" --tls-key "$T/tls.key" --sha256
like "https" "$url" "^https://"
is "https with a path, digest with SHA-256 offered" "$(status --digest -u "$login" /phones/a/$mac.cfg)" 200
is "the path is part of it" "$(status --digest -u "$login" /$mac.cfg)" 404
stop tls
ok "only one of --tls-cert and --tls-key: usage" fails_with 2 phonevpn serve --tls-cert "$T/tls.crt"
done_testing
