#!/bin/bash
# SPDX-License-Identifier: ISC
#
# bench.sh [BUILD]: what minting and serving cost beside other programs that do the same work, measured in this one run.
# Figures are CPU seconds, user and system, of whole processes; quote the ratios, not the figures.
[ $# -eq 0 ] || BUILD=$1
. "$(dirname "$0")/e2e/lib.sh"

phones=${BENCH_PHONES:-20}
fetches=${BENCH_FETCHES:-1000}
export PHONEVPN_DIR=$T/state
mkdir "$T/work"

# cpu COMMAND...: the CPU seconds that it and its children took; nothing else is printed.
cpu() {
	local TIMEFORMAT='%U %S'
	{ time "$@" >"$T/cpu.log" 2>&1; } 2>&1 | awk '{ print $1 + $2 }'
}
# row WHAT CPU COUNT REFERENCE-CPU-PER-PIECE
row() {
	awk -v what="$1" -v cpu="$2" -v n="$3" -v ref="$4" \
		'BEGIN { printf "%-52s %10.2f ms  x %.2f\n", what, 1000 * cpu / n, (cpu / n) / ref }'
}
per() {
	awk -v cpu="$1" -v n="$2" 'BEGIN { print cpu / n }'
}

macs() {
	for i in $(seq "$phones"); do printf '000fd32%05x\n' "$i"; done
}
with_openssl() {
	openssl req -x509 -newkey rsa:3072 -nodes -subj /CN=bench -keyout ca.key -out ca.crt -days 30
	for mac in $(macs); do
		openssl req -newkey rsa:2048 -nodes -subj "/CN=$mac" -keyout "$mac.key" -out "$mac.csr"
		openssl x509 -req -in "$mac.csr" -CA ca.crt -CAkey ca.key -sha256 -days 30 -out "$mac.crt"
		cat ca.crt "$mac.crt" "$mac.key" | md5sum
	done
}
with_easyrsa() {
	local easyrsa=/usr/share/easy-rsa/easyrsa
	export EASYRSA_BATCH=1 EASYRSA_PKI=$T/work/pki EASYRSA_KEY_SIZE=2048
	$easyrsa init-pki && EASYRSA_KEY_SIZE=3072 $easyrsa build-ca nopass || return
	for mac in $(macs); do $easyrsa build-client-full "$mac" nopass; done
}
with_pki() {
	pki --gen --type rsa --size 3072 >ca.der && pki --self --in ca.der --dn CN=bench --ca >ca.crt.der || return
	for mac in $(macs); do
		pki --gen --type rsa --size 2048 >"$mac.der" &&
			pki --issue --in "$mac.der" --type priv --cacert ca.crt.der --cakey ca.der --dn "CN=$mac" >"$mac.crt.der"
	done
}

phonevpn --quiet init --vpn-host vpn.example.com --url http://127.0.0.1:1 || bail_out init
{
	echo mac,model
	macs | sed 's/$/,D65/'
} | phonevpn --quiet phone import - || bail_out import

cd "$T/work" || exit 1
echo "minting $phones phones, RSA-2048 under an RSA-3072 CA: CPU a phone, and against phonevpn"
ours=$(cpu phonevpn --quiet mint --all)
reference=$(per "$ours" "$phones")
row "phonevpn mint --all (sealed, committed, read back)" "$ours" "$phones" "$reference"
row "openssl req, x509, md5sum" "$(cpu with_openssl)" "$phones" "$reference"
if [ -x /usr/share/easy-rsa/easyrsa ]; then
	row "easy-rsa build-client-full" "$(cpu with_easyrsa)" "$phones" "$reference"
fi
if command -v pki >/dev/null; then
	row "strongSwan pki --gen, --issue" "$(cpu with_pki)" "$phones" "$reference"
fi

echo
echo "serving $fetches bundles, a new connection each, 401 then 200: CPU of the server a fetch, and against phonevpn"
# server_cpu PID: what it has used until now, all its threads and children
server_cpu() {
	local pid total=0 part
	for pid in "$1" $(pgrep -P "$1"); do
		part=$(awk -v hz="$(getconf CLK_TCK)" '{ print ($14 + $15) / hz }' "/proc/$pid/stat")
		total=$(awk -v a="$total" -v b="$part" 'BEGIN { print a + b }')
	done
	echo "$total"
}
# storm PID URL CURL-OPTION...: its CPU for all fetches
storm() {
	local pid=$1 url=$2 before
	shift 2
	for i in $(seq "$fetches"); do printf 'url = "%s"\noutput = "/dev/null"\n' "$url"; done >"$T/storm.conf"
	before=$(server_cpu "$pid")
	curl -sS --no-keepalive --parallel --parallel-max 100 "$@" -K "$T/storm.conf" || diag "a fetch failed"
	awk -v a="$before" -v b="$(server_cpu "$pid")" 'BEGIN { print b - a }'
}
mac=$(macs | head -n 1)
echo bench >"$T/pass"
phonevpn --quiet phone set "$mac" --http-password-file "$T/pass"
md5=$(phonevpn emit md5 "$mac")
spawn serve phonevpn serve --listen 127.0.0.1:0
wait_until 10 printed serve 'listening on' || bail_out serve
url=$(sed -n 's/^listening on //p' "$T/serve.out")
ours=$(storm "$(pid_of serve)" "$url/ovpn/$md5/$mac.ovpn" --digest -u "$mac:bench")
reference=$(per "$ours" "$fetches")
row "phonevpn serve, digest" "$ours" "$fetches" "$reference"
if command -v nginx >/dev/null; then
	mkdir "$T/www"
	phonevpn emit bundle "$mac" >"$T/www/b.ovpn"
	cat >"$T/nginx.conf" <<-CONF
		pid $T/nginx.pid; error_log $T/nginx.log; daemon off; user root;
		events { worker_connections 2048; }
		http { access_log off; server { listen unix:$T/nginx.sock; root $T/www; } }
	CONF
	spawn nginx nginx -c "$T/nginx.conf"
	wait_until 10 test -S "$T/nginx.sock" || bail_out nginx
	row "nginx, static, no login, one request (unix socket)" \
		"$(storm "$(pid_of nginx)" http://localhost/b.ovpn --unix-socket "$T/nginx.sock")" "$fetches" "$reference"
fi
