#!/bin/bash
# SPDX-License-Identifier: ISC
#
# A fleet that boots while others do what they can to keep the server from it: every phone has its files, none of the
# others gets one, and the server lives in bounded memory. How long the phones wait then is measured by bench_siege.sh.
. "$(dirname "$0")/lib.sh"

export PHONEVPN_DIR=$T/state
phones=200
enemies=5000
ulimit -n "$(ulimit -Hn)"
[ "$(ulimit -n)" -ge $((enemies + 1000)) ] || enemies=$(($(ulimit -n) / 2))

phonevpn --quiet init --vpn-host vpn.example.com --url http://127.0.0.1:1 --ca-bits 2048 || bail_out "init"
for ((i = 1; i <= phones; i++)); do
	printf '000fd34%05x,D65,000fd34%05x,secret%d\n' $i $i $i
done | sed '1i mac,model,http_user,http_password' >"$T/fleet.csv"
phonevpn --quiet phone import "$T/fleet.csv" || bail_out "import"
phonevpn --quiet mint --all || bail_out "mint"
phonevpn --quiet export --out "$T/www" || bail_out "export"
find "$T/www/ovpn" -name '*.ovpn' -printf '/ovpn/%P\n' | awk -F, '
	NR == FNR { login[$1] = $3 " " $4; next }
	{ mac = substr($0, length($0) - 16, 12); print login[mac], "/" mac ".cfg", $0 }' "$T/fleet.csv" - >"$T/list"
for ((i = 0; i < 50; i++)); do
	sed 's/^\([^ ]*\) [^ ]*/\1 wrong/' "$T/list"
done >"$T/wrong"
is "the fleet" "$(wc -l <"$T/list")" $phones

# up NAME OPTION...: a server; $host is where
up() {
	local name=$1
	shift
	spawn "$name" phonevpn serve --listen 127.0.0.1:0 --threads 2 "$@"
	ok "serve $*" wait_until 10 printed "$name" 'listening on'
	host=$(sed -n 's/^listening on [^:]*:\/\///p' "$T/$name.out")
}
# storm LIST AT-ONCE: what came of its phones, of $count: with all files, refused, with wrong bytes, broken
storm() {
	"$BUILD/tests/bench_storm" "$host" "$1" "$2" >"$T/storm.out" 2>"$T/storm.err"
	cut -d' ' -f2-5 "$T/storm.out"
}
# siege NAME KIND COUNT: enemies until "stop"; only with COUNT connections is it one.
siege() {
	spawn "$1" "$BUILD/tests/bench_siege" "$host" "$2" "$3"
	ok "... beside $3 connections: $2" wait_until 30 printed "$1" '^up'
}
# files NAME: how many the enemies got
files() {
	awk 'NF == 5 { print $2 }' "$T/$1.out"
}
peak() {
	sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$(pid_of "$1")/status"
}
status() {
	curl -s --max-time 20 -o "$T/body" -D "$T/head" -w '%{http_code}' "http://$host/000000000000.cfg"
}

# ---- from as many addresses as there are connections ----
up open
siege slow slow $enemies
is "every phone has its files" "$(storm "$T/list" 100)" "$phones 0 0 0"
diag "$(peak open) KiB at most"
ok "... in bounded memory: below 64 MiB" test "$(peak open)" -lt 65536
stop slow
is "... and who was slow has nothing" "$(files slow)" 0
siege malformed malformed 50
"$BUILD/tests/bench_storm" "$host" "$T/wrong" 50 >"$T/flood.out" 2>"$T/flood.err" &
flood=$!
is "every phone has its files beside these and a flood of wrong passwords" "$(storm "$T/list" 100)" "$phones 0 0 0"
ok "... which was going on" kill -0 $flood
kill $flood
wait $flood 2>"$T/err"
head -n 1000 "$T/wrong" >"$T/some"
is "a wrong password opens nothing, however often" "$(STORM_RETRY=1 storm "$T/some" 50)" "0 1000 0 0"
stop malformed
is "... nor does what is no request" "$(files malformed)" 0
like "... but it was answered" "$(cat "$T/malformed.out")" '^[0-9]+ 0 0 [0-9]{3,} [0-9]+$'
ok "in bounded memory" test "$(peak open)" -lt 65536
ok "it lives, and ends in order" stop open

# ---- from one address, where each has a share ----
up shared --max-per-address 20 --max-connections 500
STORM_NAT=1 siege crowd slow $enemies
is "an address with $enemies slow connections: the others' phones have their files" "$(STORM_RETRY=1 storm "$T/list" 100)" "$phones 0 0 0"
diag <"$T/storm.err"
stop crowd
is "... and it nothing" "$(files crowd)" 0
ok "it lives, and ends in order" stop shared

# ---- when nobody has a share, and all is taken ----
up full --max-connections 100
siege many slow 100
is "one more than there may be: 503" "$(status)" 503
like "... and when to come again" "$(cat "$T/head")" '^Retry-After: [0-9]+'
"$BUILD/tests/bench_storm" "$host" "$T/list" 100 >"$T/storm.out" 2>"$T/storm.err"
is "phones that come then: none gets a part of a file" "$(cut -d' ' -f2-4 "$T/storm.out")" "0 0 0"
STORM_RETRY=1 "$BUILD/tests/bench_storm" "$host" "$T/list" 100 >"$T/storm.out" 2>"$T/storm.err" &
storming=$!
stop many
wait $storming
is "when the slow ones have gone, those who come again have all" "$(cut -d' ' -f2-5 "$T/storm.out")" "$phones 0 0 0"
diag <"$T/storm.err"
ok "it lives, and ends in order" stop full
done_testing
