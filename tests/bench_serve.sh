#!/bin/bash
# SPDX-License-Identifier: ISC
#
# bench_serve.sh BUILD [FETCHES]: what serving a bundle costs, a new connection each, beside a web server without any
# login, in the same run: CPU seconds of the server alone. Compare ratios, not seconds.
[ $# -eq 0 ] || BUILD=$1
. "$(dirname "$0")/e2e/lib.sh"

fetches=${2:-1000}
export PHONEVPN_DIR=$T/state
mac=000fd3200001

# server_cpu PID: what it and its children have used until now
server_cpu() {
	local pid
	for pid in "$1" $(pgrep -P "$1"); do
		awk '{ print $14 + $15 }' "/proc/$pid/stat"
	done | awk -v hz="$(getconf CLK_TCK)" '{ sum += $1 } END { print sum / hz }'
}
# storm WHAT PID URL CURL-OPTION...: a line of the table
storm() {
	local what=$1 pid=$2 url=$3 before after i
	shift 3
	for ((i = 0; i < fetches; i++)); do
		printf 'url = "%s"\noutput = "/dev/null"\nno-keepalive\n' "$url"
	done >"$T/storm.conf"
	before=$(server_cpu "$pid")
	curl -sSf --parallel --parallel-max 100 "$@" -K "$T/storm.conf" 2>"$T/curl.err" || bail_out "$what: a fetch failed"
	after=$(server_cpu "$pid")
	[ -n "${ours-}" ] || ours=$(awk -v a="$before" -v b="$after" 'BEGIN { print b - a }')
	awk -v what="$what" -v a="$before" -v b="$after" -v n="$fetches" -v ours="$ours" \
		'BEGIN { printf "%-44s %8.3f %8.1f\n", what, (b - a) / n * 1000, (b - a) / ours }'
}

phonevpn --quiet init --vpn-host vpn.example.com --url http://127.0.0.1:1 || bail_out init
phonevpn --quiet phone add $mac --model D65 || bail_out "phone add"
echo bench >"$T/password"
phonevpn --quiet phone set $mac --http-password-file "$T/password"
phonevpn --quiet mint $mac
md5=$(phonevpn emit md5 $mac)
mkdir "$T/www"
phonevpn emit bundle $mac >"$T/www/bundle.ovpn"
port=$(free_port)
cat >"$T/nginx.conf" <<CONF
pid $T/nginx.pid; error_log $T/nginx.log; daemon off; worker_processes 2; user root;
events { worker_connections 2048; }
http {
	access_log off;
	client_body_temp_path $T/b; proxy_temp_path $T/p; fastcgi_temp_path $T/f; uwsgi_temp_path $T/u; scgi_temp_path $T/s;
	server { listen 127.0.0.1:$port; root $T/www; }
}
CONF
spawn serve phonevpn serve --listen 127.0.0.1:0 --threads 2
spawn nginx nginx -c "$T/nginx.conf"
wait_until 10 printed serve 'listening on' || bail_out serve
wait_until 10 curl -sf -o "$T/probe" "http://127.0.0.1:$port/bundle.ovpn" || bail_out nginx
url=$(sed -n 's/^listening on //p' "$T/serve.out")

echo "a bundle of $(stat -c %s "$T/www/bundle.ovpn") bytes, $fetches times, 100 at once"
printf '%-44s %8s %8s\n' "" "CPU ms" "x ours"
storm "phonevpn serve, digest: 401, then 200" "$(pid_of serve)" "$url/ovpn/$md5/$mac.ovpn" --digest -u $mac:bench
storm "nginx, no login: one request" "$(pid_of nginx)" "http://127.0.0.1:$port/bundle.ovpn"
