#!/bin/bash
# SPDX-License-Identifier: ISC
#
# bench_siege.sh BUILD [PHONES]: how long a fleet that boots waits, PHONES (5,000) of them, 500 at once, alone and beside
# 5,000 slow connections (a byte of a header a second each), beside 100 connections that guess passwords and beside 100
# that send malformed requests, these as fast as they are answered. Three rounds of all four with one server; what counts
# is the median of the 99th percentiles. The enemies take their processor time from the same machine.
[ $# -eq 0 ] || BUILD=$1
. "$(dirname "$0")/e2e/lib.sh"

phones=${2:-5000}
at_once=500
enemies=5000
export PHONEVPN_DIR=$T/state
[ "$(ulimit -Hn)" -ge 10500 ] || bail_out "a process may open $(ulimit -Hn) files, which is too few"
ulimit -n "$(ulimit -Hn)"

for ((i = 1; i <= phones; i++)); do
	printf '000fd34%05x,D65,000fd34%05x,secret%d\n' $i $i $i
done | sed '1i mac,model,http_user,http_password' >"$T/fleet.csv"
phonevpn --quiet init --vpn-host vpn.example.com --url http://127.0.0.1:1 || bail_out init
phonevpn --quiet phone import "$T/fleet.csv" || bail_out import
phonevpn --quiet mint --all || bail_out mint
phonevpn --quiet export --out "$T/www" || bail_out export
find "$T/www/ovpn" -name '*.ovpn' -printf '/ovpn/%P\n' | awk -F, '
	NR == FNR { login[$1] = $3 " " $4; next }
	{ mac = substr($0, length($0) - 16, 12); print login[mac], "/" mac ".cfg", $0 }' "$T/fleet.csv" - >"$T/list"
[ "$(wc -l <"$T/list")" -eq "$phones" ] || bail_out "the list of files is not whole"
for _ in {1..20}; do
	sed 's/^\([^ ]*\) [^ ]*/\1 wrong/' "$T/list"
done >"$T/wrong"

spawn serve phonevpn serve --listen 127.0.0.1:0 --threads 2
wait_until 10 printed serve 'listening on' || bail_out serve
host=$(sed -n 's/^listening on [^:]*:\/\///p' "$T/serve.out")

failed=0
# fleet WHAT KEY: a line of the table, and the 99th percentile to $T/KEY
fleet() {
	"$BUILD/tests/bench_storm" "$host" "$T/list" $at_once >"$T/storm.out" || failed=1
	read -r _ good refused wrong broken seconds median p99 worst <"$T/storm.out"
	printf '%-34s %7d %7.1f %8.1f %8.1f %8.1f\n' "$1" "$good" "$seconds" "$median" "$p99" "$worst"
	[ "$refused$wrong$broken" = 000 ] || echo "    refused $refused, wrong bytes $wrong, broken $broken"
	echo "$p99" >>"$T/$2"
}
# beside WHAT KEY KIND COUNT
beside() {
	spawn "$2" "$BUILD/tests/bench_siege" "$host" "$3" "$4"
	wait_until 30 printed "$2" '^up' || bail_out "$3"
	fleet "$1" "$2"
	stop "$2"
	read -r begun got full others ended < <(tail -n 1 "$T/$2.out")
	printf '    enemies: %d connections, %d files, %d times 503, %d other answers, %d ended without\n' "$begun" "$got" "$full" "$others" "$ended"
	[ "$got" = 0 ] || failed=1
}
middle() {
	sort -n "$T/$1" | sed -n 2p
}

printf '%-34s %7s %7s %8s %8s %8s\n' "$phones phones, $at_once at once" served s median p99 worst
for _ in 1 2 3; do
	fleet alone alone
	beside "beside $enemies slow connections" slow slow $enemies
	"$BUILD/tests/bench_storm" "$host" "$T/wrong" 100 >"$T/flood.out" 2>"$T/flood.err" &
	flood=$!
	fleet "beside wrong passwords" guesses
	kill $flood || bail_out "the flood was over before"
	wait $flood 2>"$T/err"
	beside "beside malformed requests" malformed malformed 100
done
for kind in slow guesses malformed; do
	awk -v what=$kind -v a="$(middle alone)" -v b="$(middle $kind)" 'BEGIN { printf "    p99 beside %s: %.2f of that alone (limit 2)\n", what, b / a }'
done
echo "    wrong passwords refused: $(grep -c 'wrong password of user' "$T/serve.err")"
echo "    memory: $(sed -n 's/^VmHWM:[^0-9]*//p' "/proc/$(pid_of serve)/status") at most"
[ $failed = 0 ] || bail_out "a phone came up short, or an enemy got a file"
