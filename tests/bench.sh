#!/bin/bash
# SPDX-License-Identifier: ISC
#
# bench.sh BUILD [PHONES]: what a phone's key and certificate cost, beside other programs on the same machine in the
# same run: CPU seconds of the whole process, user and system, for each of PHONES (20). Compare ratios, not seconds. The
# same lines as JSON go into BUILD/bench.json.
set -u
build=$(realpath "${1:-build/gcc}")
export PATH="$build:$PATH:/usr/sbin:/usr/share/easy-rsa" LC_ALL=C
phones=${2:-20}
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT
trap 'exit 130' INT TERM HUP
cd "$T" || exit 1
ours=

# cost WHAT COMMAND...: a line of the table, for a command that serves all phones.
cost() {
	local what=$1 user system TIMEFORMAT='%U %S'
	shift
	{ time "$@" >"$T/log" 2>&1; } 2>"$T/time" || {
		echo "bench: $what failed:" >&2
		cat "$T/log" >&2
		exit 1
	}
	read -r user system <"$T/time"
	[ -n "$ours" ] || ours=$(awk -v u="$user" -v s="$system" 'BEGIN { print u + s }')
	awk -v what="$what" -v u="$user" -v s="$system" -v n="$phones" -v ours="$ours" \
		-v json="$build/bench.json" 'BEGIN {
			printf "%-44s %8.3f %8.1f\n", what, (u + s) / n, (u + s) / ours
			printf "{\"what\":\"%s\",\"phones\":%d,\"cpu_seconds_per_phone\":%.4f,\"times_ours\":%.1f}\n",
				what, n, (u + s) / n, (u + s) / ours >>json
		}'
}

each() {
	local i
	for ((i = 1; i <= phones; i++)); do
		"$@" "$i" || return 1
	done
}

openssl_one() {
	openssl req -new -newkey rsa:2048 -nodes -keyout "o$1.key" -subj "/CN=o$1" -out "o$1.csr" &&
		openssl x509 -req -in "o$1.csr" -CA ca.crt -CAkey ca.key -days 365 -out "o$1.crt"
}

easyrsa_one() {
	easyrsa --batch --pki-dir="$T/pki" build-client-full "e$1" nopass
}

certtool_one() {
	certtool --generate-privkey --key-type rsa --bits 2048 --outfile "g$1.key" &&
		certtool --generate-certificate --load-privkey "g$1.key" --load-ca-certificate ca.crt \
			--load-ca-privkey ca.key --template certtool.cfg --outfile "g$1.crt"
}

pki_one() {
	pki --gen --type rsa --size 2048 >"s$1.key" &&
		pki --issue --in "s$1.key" --type rsa --cacert ca.crt --cakey ca.key --dn "CN=s$1" >"s$1.crt"
}

export PHONEVPN_DIR=$T/state
{
	echo mac,model
	for ((i = 1; i <= phones; i++)); do
		printf '000fd3%06x,D65\n' "$i"
	done
} >fleet.csv
echo 'tls_www_client' >certtool.cfg
{
	phonevpn init --vpn-host vpn.example.com --url http://pbx.example.com &&
		phonevpn phone import fleet.csv &&
		openssl req -x509 -newkey rsa:3072 -nodes -keyout ca.key -subj /CN=bench -days 365 -out ca.crt &&
		easyrsa --batch --pki-dir="$T/pki" init-pki &&
		EASYRSA_KEY_SIZE=3072 easyrsa --batch --pki-dir="$T/pki" build-ca nopass
} >"$T/log" 2>&1 || {
	cat "$T/log" >&2
	exit 1
}

: >"$build/bench.json"
echo "RSA-2048 key and certificate under an RSA-3072 CA, $phones phones"
printf '%-44s %8s %8s\n' "" "CPU s" "x ours"
cost "phonevpn mint" phonevpn --quiet mint --all
cost "openssl req, openssl x509" each openssl_one
cost "easyrsa build-client-full" each easyrsa_one
cost "certtool (GnuTLS)" each certtool_one
cost "pki --gen, pki --issue (strongSwan)" each pki_one
