#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Many phones at once, as they come: each with a login of its own, a whole office behind one address, one URL for all,
# while the database is written, and a login that is heard on the way and sent again.
. "$(dirname "$0")/lib.sh"

export PHONEVPN_DIR=$T/state
phones=100
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
	spawn "$1" phonevpn serve --listen "$2" --sha256 --threads 2
	ok "serve" wait_until 10 printed "$1" 'listening on'
	url=$(sed -n 's/^listening on //p' "$T/$1.out")
	host=${url#*://}
}
up first 127.0.0.1:0
phonevpn config set url "$url"
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
phonevpn --quiet mint --all --renew &
minting=$!
ok "the fleet boots while it is renewed: every bundle has the md5 of the XML that named it" \
	refphone --quiet fleet --from "$T/boot.csv" --config-url "$url" --concurrency 100
wait $minting
ok "... and once more" refphone --quiet fleet --from "$T/boot.csv" --config-url "$url" --concurrency 100

# ---- wrong passwords beside them ----
ok "bad phones are refused, and none of the good ones" refphone --quiet fleet --from "$T/boot.csv" --config-url "$url" \
	--concurrency 100 --fault wrong-password=20,stale-nonce=20,cut=10

# ---- killed in the middle ----
ok "it still lives" lives first
nonce=$(curl -si "$url$target" | sed -n 's/.*algorithm=MD5, nonce="\([0-9a-f]*\)".*/\1/p')
served() {
	[ "$(grep -c . "$T/first.err")" -ge "$1" ]
}
lines=$(grep -c . "$T/first.err")
refphone --quiet fleet --from "$T/boot.csv" --config-url "$url" --concurrency 20 >"$T/cut.out" 2>&1 &
fleet=$!
ok "in the middle of a storm" wait_until 10 served $((lines + 50))
stop first KILL 2>"$T/killed"
wait $fleet
up second "$host"
md5=$(phonevpn emit md5 $mac)
target=/ovpn/$md5/$mac.ovpn
is "a nonce of the server that was killed is good for the next one" "$(ask 00000001)" 200
ok "every phone is provisioned in the end" refphone --quiet fleet --from "$T/boot.csv" --config-url "$url" --concurrency 100
ok "SIGTERM ends it in order" stop second
done_testing
