#!/bin/bash
# SPDX-License-Identifier: ISC
#
# HTTPS: old and new phones, and a certificate that is renewed while they fetch.
. "$(dirname "$0")/lib.sh"

export PHONEVPN_DIR=$T/state
mac=000fd3006501

phonevpn --quiet init --vpn-host vpn.example.com --url https://127.0.0.1:1 --ca-bits 2048 || bail_out "init"
phonevpn --quiet phone import "$SOURCE/doc/examples/fleet.csv" || bail_out "import"
echo secret >"$T/pass"
phonevpn --quiet phone set $mac --http-password-file "$T/pass"
phonevpn --quiet mint $mac || bail_out "mint"
md5=$(phonevpn emit md5 $mac)

# pair NAME DAYS ALGORITHM: a root, an intermediate and the chain of a server under it
pair() {
	local at=$T/$1 key=(-newkey rsa:2048)
	[ "$3" = rsa ] || key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256)
	mkdir -p "$at"
	openssl req -x509 "${key[@]}" -nodes -subj "/CN=root $1" -keyout "$at/root.key" -out "$at/root.crt" -days 9 &&
		openssl req "${key[@]}" -nodes -subj "/CN=inner $1" -keyout "$at/inner.key" -out "$at/inner.csr" &&
		printf 'basicConstraints=critical,CA:true\n' >"$at/inner.ext" &&
		openssl x509 -req -in "$at/inner.csr" -CA "$at/root.crt" -CAkey "$at/root.key" -CAcreateserial -days 9 \
			-extfile "$at/inner.ext" -out "$at/inner.crt" &&
		openssl req "${key[@]}" -nodes -subj "/CN=$1" -keyout "$at/key" -out "$at/server.csr" &&
		printf 'subjectAltName=IP:127.0.0.1\n' >"$at/server.ext" &&
		openssl x509 -req -in "$at/server.csr" -CA "$at/inner.crt" -CAkey "$at/inner.key" -CAcreateserial -days "$2" \
			-extfile "$at/server.ext" -out "$at/server.crt" &&
		cat "$at/server.crt" "$at/inner.crt" >"$at/chain"
} 2>"$T/openssl.err"
for p in 'a 3 rsa' 'b 4 ec' 'c 0 rsa'; do
	# shellcheck disable=SC2086 # three words
	pair $p || bail_out "pair $p"
done
use() {
	cp "$T/$1/chain" "$T/chain" && cp "$T/${2:-$1}/key" "$T/key"
}
use a
spawn tls phonevpn serve --listen 127.0.0.1:0 --admin 127.0.0.1:0 --tls-cert "$T/chain" --tls-key "$T/key"
wait_until 10 printed tls '^admin on' || bail_out "serve"
url=$(sed -n 's/^listening on //p' "$T/tls.out")
admin=$(sed -n 's/^admin on //p' "$T/tls.out")
# fetch NAME: with that root alone
fetch() {
	curl -sS -o "$T/body" --cacert "$T/$1/root.crt" --digest -u "$mac:secret" "$url/ovpn/$md5/$mac.ovpn" &&
		[ "$(md5sum <"$T/body")" = "$md5  -" ]
}
ok "a phone that knows the root has its bundle" fetch a
for version in tls1 tls1_1 tls1_2 tls1_3; do
	openssl s_client -connect "${url#https://}" -$version -cipher DEFAULT:@SECLEVEL=0 -brief </dev/null >"$T/out" 2>&1
	like "a phone that speaks $version" "$(cat "$T/out")" 'CONNECTION ESTABLISHED'
done
enddate() {
	date -d "$(openssl x509 -in "$1" -noout -enddate | cut -d= -f2)" +%s
}
metric() {
	curl -sS "$admin/metrics" | awk -v name="$1" '$1 == name { print $NF }'
}
is "when the certificate ends" "$(metric phonevpn_tls_certificate_end_timestamp_seconds)" "$(enddate "$T/a/server.crt")"

# ---- renewed ----
hangups=0
hang_up() {
	hangups=$((hangups + 1))
	kill -HUP "$(pid_of tls)"
	wait_until 10 hung_up
}
hung_up() {
	[ "$(grep -c 'hang-up: done' "$T/tls.err")" -ge $hangups ]
}
# A connection that is open over the renewal: a request before, and one after it.
mkfifo "$T/requests"
openssl s_client -quiet -connect "${url#https://}" -CAfile "$T/a/root.crt" <"$T/requests" >"$T/answers" 2>"$T/err" &
client=$!
exec 8>"$T/requests"
printf 'GET /000000000000.cfg HTTP/1.1\r\nHost: a\r\n\r\n' >&8
answered() {
	[ "$(grep -c '^HTTP/1.1 200' "$T/answers")" -ge "$1" ]
}
ok "an open connection" wait_until 10 answered 1
use b
ok "a hang-up" hang_up
ok "new connections have the new certificate, of another kind" fetch b
ok "... and not the former" fails_with 60 fetch a
printf 'GET /000000000000.cfg HTTP/1.1\r\nHost: a\r\n\r\n' >&8
ok "... the open one goes on" wait_until 10 answered 2
exec 8>&-
wait $client
is "when the new one ends" "$(metric phonevpn_tls_certificate_end_timestamp_seconds)" "$(enddate "$T/b/server.crt")"

# ---- what is no pair ----
refused() {
	hang_up && printed tls "error: hang-up: .*$1.*the former certificate stays in use" && fetch b
}
use a b
ok "a certificate with the key of another: refused, the former stays" refused 'expected the key of the first certificate'
use b
echo nonsense >"$T/chain"
ok "a certificate that is none: refused, the former stays" refused 'expected a certificate and its chain'
use b
head -c 100 "$T/b/key" >"$T/key"
ok "half a key: refused, the former stays" refused 'expected its key'
use b
rm "$T/key"
ok "no key: refused, the former stays" refused "$T/key"
unlike "no key in the log" "$(cat "$T/tls.err")" 'PRIVATE|nonsense'

# ---- many renewals while phones fetch, a new connection each ----
cat "$T/a/root.crt" "$T/b/root.crt" >"$T/roots"
for i in $(seq 120); do
	printf 'url = "%s/ovpn/%s/%s.ovpn"\noutput = "%s/got.%s"\n' "$url" "$md5" $mac "$T" "$i"
done >"$T/many.conf"
curl -sS --no-progress-meter --parallel --parallel-max 4 --cacert "$T/roots" --digest -u "$mac:secret" -H 'Connection: close' \
	-w '%{http_code}\n' -K "$T/many.conf" >"$T/codes" 2>"$T/curl.err" &
fetching=$!
renewals=0
while kill -0 $fetching 2>"$T/err" && [ $renewals -lt 8 ]; do
	if [ $((renewals % 2)) -eq 0 ]; then use a; else use b; fi
	hang_up || break
	renewals=$((renewals + 1))
done
wait $fetching
is "no phone notices a renewal" "$?,$(sort "$T/codes" | uniq -c | awk '{ print $1, $2 }')" "0,120 200"
diag "$renewals renewals"
diag <"$T/curl.err"
ok "... of which there were some" test $renewals -ge 4

# ---- ended ----
is "healthy" "$(curl -s -o "$T/body" -w '%{http_code}' "$admin/healthz")" 200
use c
ok "one that ends now" hang_up
sick() {
	[ "$(curl -s -o "$T/body" -w '%{http_code}' "$admin/healthz")" = 503 ]
}
ok "... is not healthy" wait_until 10 sick
like "... and says why" "$(cat "$T/body")" '^TLS certificate: expected one that has not ended'
hang_up
like "... and warns" "$(cat "$T/tls.err")" 'warning: the TLS certificate ended at'
ok "it ends in order" stop tls
ok "a first pair that does not fit: refused" fails_with 1 phonevpn serve --listen 127.0.0.1:0 --tls-cert "$T/a/chain" --tls-key "$T/b/key"
done_testing
