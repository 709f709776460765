#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Many phones at once, as they come: each with a login of its own, a whole office behind one address, one URL for all,
# behind proxies, while the database is written, and a login that is heard on the way and sent again; and while the server
# is killed.
. "$(dirname "$0")/lib.sh"

export PHONEVPN_DIR=$T/state
phones=200
mac=000fd3400001
login=$mac:secret1

phonevpn --quiet init --vpn-host vpn.example.com --url http://127.0.0.1:1 --ca-bits 2048 || bail_out "init"
for ((i = 1; i <= phones; i++)); do
	printf '000fd34%05x,D65,000fd34%05x,secret%d\n' $i $i $i
done | sed '1i mac,model,http_user,http_password' >"$T/fleet.csv"
phonevpn --quiet phone import "$T/fleet.csv" || bail_out "import"
phonevpn --quiet mint --all || bail_out "mint"

# up NAME ADDR:PORT: a server; $url is where
up() {
	spawn "$1" phonevpn serve --listen "$2" --sha256 --threads 2 --trusted-proxy 127.0.0.1
	ok "serve" wait_until 10 printed "$1" 'listening on'
	url=$(sed -n 's/^listening on //p' "$T/$1.out")
	host=${url#*://}
}
up first 127.0.0.1:0
phonevpn config set url "$url"
phonevpn --quiet export --out "$T/www" || bail_out "export"
find "$T/www/ovpn" -name '*.ovpn' -printf '/ovpn/%P\n' | awk -F, '
	NR == FNR { login[$1] = $3 " " $4; next }
	{ mac = substr($0, length($0) - 16, 12); print login[mac], "/" mac ".cfg", $0 }' "$T/fleet.csv" - >"$T/list"
md5=$(phonevpn emit md5 $mac)
target=/ovpn/$md5/$mac.ovpn

# ---- one URL, one login, one address; a connection each and one for all ----
# many COUNT OPTION...: fetch the bundle so often; prints how many came with their md5
many() {
	local i
	rm -f "$T"/many.*
	for ((i = 0; i < $1; i++)); do
		printf 'url = "%s"\noutput = "%s/many.%d"\n' "$url$target" "$T" $i
	done >"$T/conf"
	curl -sS --fail-early -u $login "${@:2}" -K "$T/conf" 2>"$T/curl.err" || diag <"$T/curl.err"
	cat "$T"/many.* >"$T/all" && md5sum "$T"/many.* | grep -c "^$md5 "
}
is "200 at once with one login, MD5 or SHA-256 as curl likes" "$(many 200 --parallel --parallel-immediate --parallel-max 50 --digest)" 200
is "... one behind the other on one connection" "$(many 200 --digest)" 200
is "... and as a phone that takes what it gets" "$(many 50 --parallel --anyauth)" 50

# ---- each with a login of its own, from addresses of their own and behind one, and behind a proxy that is either ----
# storm ADDR:PORT [LIST]: how many phones have both files, were refused, have wrong bytes, and were broken off
storm() {
	"$BUILD/tests/bench_storm" "$1" "${2:-$T/list}" 50 2>"$T/storm.err" | cut -d' ' -f2-5
}
storms() {
	is "$1: $phones phones, each from an address of its own" "$(storm "$2")" "$phones 0 0 0"
	is "... behind one address" "$(STORM_NAT=1 storm "$2")" "$phones 0 0 0"
	is "... on one connection for both files" "$(STORM_NAT=1 STORM_KEEP=1 storm "$2")" "$phones 0 0 0"
}
storms "no proxy" "$host"
proxied=
haproxy_port=$(free_port)
sed "s,bind :443 .*,bind 127.0.0.1:$haproxy_port,; s,127\.0\.0\.1:8080,$host," "$SOURCE/doc/examples/haproxy.cfg" >"$T/haproxy.cfg"
if command -v haproxy >"$T/out"; then
	spawn haproxy haproxy -db -f "$T/haproxy.cfg"
	ok "haproxy" wait_until 10 curl -s -o "$T/body" "http://127.0.0.1:$haproxy_port/"
	storms haproxy "127.0.0.1:$haproxy_port"
	proxied=http://127.0.0.1:$haproxy_port
else
	skip 4 "no haproxy"
fi
nginx_port=$(free_port)
mkdir "$T/nginx"
{
	[ "$(id -u)" -ne 0 ] || echo "user root;"
	cat <<-CONF
		daemon off; pid $T/nginx/pid; worker_processes 1;
		events { worker_connections 1000; }
		http {
			access_log off;
			client_body_temp_path $T/nginx/b; proxy_temp_path $T/nginx/p; fastcgi_temp_path $T/nginx/f;
			uwsgi_temp_path $T/nginx/u; scgi_temp_path $T/nginx/s;
			include $T/nginx/phones.conf;
		}
	CONF
} >"$T/nginx/conf"
sed "s,listen 443 ssl,listen 127.0.0.1:$nginx_port,; /ssl_/d; s,127\.0\.0\.1:8080,$host," "$SOURCE/doc/examples/nginx.conf" >"$T/nginx/phones.conf"
if command -v nginx >"$T/out"; then
	spawn nginx nginx -e "$T/nginx/log" -c "$T/nginx/conf"
	ok "nginx" wait_until 10 curl -s -o "$T/body" "http://127.0.0.1:$nginx_port/"
	storms nginx "127.0.0.1:$nginx_port"
else
	skip 4 "no nginx"
fi

# ---- a login is used once ----
# response NC: what a client with the nonce answers
md5_of() {
	printf %s "$1" | md5sum | cut -d' ' -f1
}
response() {
	md5_of "$(md5_of "$mac:phonevpn:secret1"):$nonce:$1:c0ffee:auth:$(md5_of "GET:$target")"
}
# ask NC [RESPONSE]: the status; the header is in $T/head
ask() {
	curl -s -o "$T/body" -D "$T/head" -w '%{http_code}' -H "Authorization: Digest username=\"$mac\", realm=\"phonevpn\", \
nonce=\"$nonce\", uri=\"$target\", qop=auth, nc=$1, cnonce=\"c0ffee\", response=\"${2-$(response "$1")}\"" "$url$target"
}
nonce=$(curl -si "$url$target" | sed -n 's/.*algorithm=MD5, nonce="\([0-9a-f]*\)".*/\1/p')
is "a login" "$(ask 00000001)" 200
is "the very same again: a new nonce, as the old one's count is used" "$(ask 00000001)" 401
like "... and the client is told that its password is right" "$(grep -i '^www' "$T/head")" 'stale=true'
is "the counts of requests under way at once come in any order" "$(ask 00000005)$(ask 00000002)$(ask 00000004)$(ask 00000003)" 200200200200
is "a wrong response: refused" "$(ask 00000006 00000000000000000000000000000000)" 401
unlike "... without a word on what was right" "$(grep -i '^www' "$T/head")" 'stale'
is "... and it uses up no count" "$(ask 00000006)" 200

# ---- nobody waits for a writer ----
sqlite3 "$PHONEVPN_DIR/phonevpn.db" >"$T/sqlite.out" 2>&1 <<SQL &
.timeout 5000
BEGIN EXCLUSIVE;
UPDATE phones SET label = label;
.shell touch $T/locked; timeout 20 sh -c 'until [ -e $T/fetched ]; do sleep 0.1; done'
ROLLBACK;
SQL
writer=$!
ok "somebody has the database locked" wait_until 10 test -e "$T/locked"
is "... 100 bundles are served all the same" "$(many 100 --parallel --digest)" 100
like "... and the XML, at once" "$(curl -s --max-time 2 --digest -u $login "$url/$mac.cfg")" "$md5"
touch "$T/fetched"
wait $writer
is "... and the lock was real" "$(cat "$T/sqlite.out")" ""

# ---- a change shows at the next request, and a fleet boots while it is renewed ----
before=$(curl -s --digest -u $login "$url/$mac.cfg" | xmllint --xpath 'string(//setting[@id="openvpn_logging"]/@value)' -)
phonevpn --quiet config set vpn-logging yes
for i in 1 2 3 4 5; do
	curl -s --digest -u $login "$url/$mac.cfg" | xmllint --xpath 'string(//setting[@id="openvpn_logging"]/@value)' -
	echo
done >"$T/after"
is "a setting changed by another process shows in every thread's next document" "$before $(sort -u "$T/after" | tr -d '\n')" "0 1"
phonevpn emit fleet >"$T/boot.csv"
# boots WHERE: fleets one after the other for as long as the fleet is renewed, at least one
boots() {
	local times=0
	while [ $times = 0 ] || kill -0 $minting; do
		refphone --quiet fleet --from "$T/boot.csv" --config-url "$1" --concurrency 100 || return 1
		times=$((times + 1))
	done
	echo "$times boots"
}
phonevpn --quiet mint --all --renew &
minting=$!
ok "the fleet boots while it is renewed: every bundle has the md5 of the XML that named it" boots "$url"
diag <"$T/out"
wait $minting
ok "... and once more" refphone --quiet fleet --from "$T/boot.csv" --config-url "$url" --concurrency 100
if [ -n "$proxied" ]; then
	phonevpn --quiet config set url "$proxied"
	phonevpn emit fleet >"$T/behind.csv"
	phonevpn --quiet mint --all --renew &
	minting=$!
	ok "... and all behind one proxy" refphone --quiet fleet --from "$T/behind.csv" --config-url "$proxied" --concurrency 100
	wait $minting
	phonevpn --quiet config set url "$url"
else
	skip 1 "no haproxy"
fi
# by_curl OPTION...: every phone's XML, and then the bundle that it names; prints how many have its md5
by_curl() {
	rm -rf "$T/curl"
	mkdir "$T/curl"
	awk -F, -v url="$url" -v to="$T/curl" 'NR > 1 { print (NR > 2 ? "next\n" : "") "silent\nuser = \"" $3 ":" $4 "\"\nurl = \"" url "/" $1 ".cfg\"\noutput = \"" \
		to "/" $1 ".cfg\"\n" options }' options="$1" "$T/fleet.csv" >"$T/xml.conf"
	curl --parallel --parallel-max 50 -K "$T/xml.conf" 2>"$T/curl.err" || diag <"$T/curl.err"
	phonevpn --quiet mint --all --renew &
	# As the phone: what is between "ovpn/" and the next slash of the URL in its XML.
	awk -F, -v url="$url" -v to="$T/curl" 'NR > 1 { xml = to "/" $1 ".cfg"; md5 = ""
		while ((getline line <xml) > 0) if (match(line, "/ovpn/[0-9a-f]+/")) md5 = substr(line, RSTART + 6, 32)
		print (NR > 2 ? "next\n" : "") "silent\nuser = \"" $3 ":" $4 "\"\nurl = \"" url "/ovpn/" md5 "/" $1 ".ovpn\"\noutput = \"" \
			to "/" md5 ".ovpn\"\n" options }' options="$1" "$T/fleet.csv" >"$T/bundles.conf"
	curl --parallel --parallel-max 50 -K "$T/bundles.conf" 2>"$T/curl.err" || diag <"$T/curl.err"
	wait $!
	(cd "$T/curl" && md5sum -- *.ovpn | awk '$1 ".ovpn" == $2' | wc -l)
}
is "curl --parallel --digest, renewed between XML and bundle: every phone has what its XML named" "$(by_curl digest)" $phones
is "... --anyauth" "$(by_curl anyauth)" $phones

# ---- wrong passwords beside them ----
ok "bad phones are refused, and none of the good ones" refphone --quiet fleet --from "$T/boot.csv" --config-url "$url" \
	--concurrency 100 --fault wrong-password=20,stale-nonce=20,cut=10

# ---- killed in the middle ----
ok "it still lives" lives first
for _ in 1 2 3 4 5 6 7 8 9 10; do
	curl -si "$url$target" | sed -n 's/.*algorithm=MD5, nonce="\([0-9a-f]*\)".*/\1/p'
done >"$T/nonces"
served() {
	[ "$(grep -c . "$T/first.err")" -ge "$1" ]
}
lines=$(grep -c . "$T/first.err")
for _ in 1 2 3 4 5 6 7 8 9 10; do
	cat "$T/list"
done >"$T/long"
STORM_RETRY=1 storm "$host" "$T/long" >"$T/cut.out" &
fleet=$!
ok "in the middle of a storm" wait_until 10 served $((lines + 500))
stop first KILL 2>"$T/killed"
up second "$host"
wait $fleet
is "every phone that comes again is provisioned in the end" "$(cat "$T/cut.out")" "$((phones * 10)) 0 0 0"
unlike "... and some had to" "$(cat "$T/storm.err")" '^0 '
diag <"$T/storm.err"
md5=$(phonevpn emit md5 $mac)
target=/ovpn/$md5/$mac.ovpn
while read -r nonce; do
	ask 00000001
	echo
done <"$T/nonces" >"$T/codes"
is "nonces of the server that was killed are good for the next one" "$(sort "$T/codes" | uniq -c | tr -s ' ')" " 10 200"
ok "a fleet that boots then" refphone --quiet fleet --from "$T/boot.csv" --config-url "$url" --concurrency 100
ok "SIGTERM ends it in order" stop second
done_testing
