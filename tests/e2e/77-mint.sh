#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Minting many: keys that are ready beforehand, keys that OpenSSL makes, what is told meanwhile, and memory that does not
# grow with the fleet.
. "$(dirname "$0")/lib.sh"
plan 48

export PHONEVPN_DIR=$T/state
db=$PHONEVPN_DIR/phonevpn.db
phonevpn --quiet init --vpn-host vpn.example.com --url http://pbx.example.com --ca-bits 2048 || bail_out "init"
perl -e 'print "mac,model,group\n"; printf "000fd32%05x,%s,g%d\n", $_, $_ % 10 == 9 ? "D40" : "D65", $_ / 10 for 0 .. 49' >"$T/fleet.csv"
phonevpn --quiet phone import "$T/fleet.csv" >/dev/null || bail_out "import"

ready() {
	phonevpn --json keypool status | jq -r '.pool | map("\(.bits) \(.keygen) \(.keys)") | join(", ")'
}
# What the openssl command says to a phone's key and certificate.
sound() {
	local mac
	for mac; do
		phonevpn emit bundle "$mac" >"$T/bundle" || return 1
		sed -n '/<key>/,/<\/key>/p' "$T/bundle" | grep -v '^<' >"$T/key.pem"
		sed -n '/<cert>/,/<\/cert>/p' "$T/bundle" | grep -v '^<' >"$T/cert.pem"
		openssl rsa -check -noout -in "$T/key.pem" || return 1
		[ "$(openssl pkey -in "$T/key.pem" -pubout)" = "$(openssl x509 -in "$T/cert.pem" -noout -pubkey)" ] || return 1
		openssl verify -x509_strict -CAfile <(phonevpn emit bundle "$mac" | sed -n '/<ca>/,/<\/ca>/p' | grep -v '^<') "$T/cert.pem" || return 1
	done
}

# ---- keys that are ready ----
is "none is ready at first" "$(ready)" "2048 native 0, 2048 library 0"
ok "twelve are made" phonevpn keypool fill 12
is "... and told" "$(cat "$T/out")" "made 12 keys, 12 are ready"
ok "the same once more" phonevpn keypool fill 12
is "... makes none" "$(cat "$T/out")" "made 0 keys, 12 are ready"
is "... nor does less" "$(phonevpn --json keypool fill 3 | jq -c .)" '{"made":0,"keys":12}'
ok "no key lies there in the clear" fails_with 1 grep -rq 'PRIVATE KEY' "$PHONEVPN_DIR"
ok "a phone is minted" phonevpn mint 000fd3200000
is "... with one of them" "$(ready)" "2048 native 11, 2048 library 0"
ok "... which is sound" sound 000fd3200000
ok "a fleet takes what there is, and makes the rest" phonevpn --json mint --all
is "... all of it" "$(jq -c '[(.minted | length), (.turned_down | length), .unchanged]' "$T/out")" "[44,5,1]"
is "... each phone told once, with its md5" "$(jq -r '.minted[] | .mac + " " + .md5' "$T/out" | sort)" \
	"$(phonevpn --json phone list | jq -r '.[] | select(.md5 and .mac != "000fd3200000") | .mac + " " + .md5' | sort)"
is "... and none is ready any more" "$(ready)" "2048 native 0, 2048 library 0"
ok "... sound, whether their keys were ready or not" sound 000fd3200001 000fd320000b 000fd320000c 000fd3200030
ok "again: nothing to do" phonevpn --json mint --all
is "... as JSON too" "$(jq -c '[.minted, (.turned_down | length), .unchanged]' "$T/out")" "[[],5,45]"
ok "what would be made" phonevpn --json mint --all --rekey --dry-run
is "... as JSON" "$(jq -c '[(.would_mint | length), .would_mint[0], (.turned_down | length)]' "$T/out")" \
	'[45,{"mac":"000fd3200000","action":"new key and certificate"},5]'
ok "a phone that can have none: an error, and not a word of JSON beside it" fails_with 1 phonevpn --json mint 000fd3200009
is "... on standard output" "$(cat "$T/out")" ""

# ---- keys that OpenSSL makes ----
ok "a policy that asks for OpenSSL's own" phonevpn config set keygen library
ok "keys of that kind" phonevpn keypool fill 2 --jobs 2
is "... are kept apart" "$(ready)" "2048 native 0, 2048 library 2"
ok "... and taken" phonevpn mint --rekey 000fd3200000 000fd3200001 000fd3200002
is "... first" "$(ready)" "2048 native 0, 2048 library 0"
ok "... sound" sound 000fd3200000 000fd3200002
ok "native keys for one run" phonevpn keypool fill 3 --keygen native
ok "... are not for those who want OpenSSL's" phonevpn mint --rekey 000fd3200000
is "... at all" "$(ready)" "2048 native 3, 2048 library 0"
ok "... but for this one" phonevpn mint --rekey --keygen native 000fd3200000
is "... that says so" "$(ready)" "2048 native 2, 2048 library 0"
ok "another word: wrong usage" fails_with 2 phonevpn mint --rekey --keygen fast 000fd3200000
like "... and the two that there are" "$(cat "$T/err")" 'keygen: expected native or library, found "fast"'
ok "cleared" phonevpn keypool clear
is "... and told" "$(cat "$T/out") $(ready)" "cleared 2 keys 2048 native 0, 2048 library 0"
phonevpn --quiet config set keygen native
ok "no keys at all: wrong usage" fails_with 2 phonevpn keypool fill 0

# ---- Ctrl-C ----
spawn filling phonevpn keypool fill 100000
some_ready() {
	[ "$(sqlite3 "$db" 'SELECT count(*) FROM key_pool')" -gt 0 ]
}
ok "keys are stored as they come" wait_until 60 some_ready
stop filling INT
like "Ctrl-C says how far it came" "$(cat "$T/filling.err")" "interrupted: [0-9]+ of 100000 keys are made; the same command goes on"
is "... and it holds" "$(sed -E 's/.*interrupted: ([0-9]+) of.*/\1/' "$T/filling.err")" "$(sqlite3 "$db" 'SELECT count(*) FROM key_pool')"
phonevpn --quiet keypool clear

# ---- a terminal that goes away ----
spawn long nohup phonevpn --quiet mint --group g1 --rekey --keygen library
wait_until 20 grep -qw "$(pid_of long)" "$PHONEVPN_DIR/lock"
kill -HUP "$(pid_of long)"
wait_until 120 ended long >/dev/null
ok "under nohup a mint goes on without it" joined long

# ---- the server fills it ----
phonevpn --quiet config set keypool 3
spawn serve phonevpn serve --listen 127.0.0.1:0
wait_until 20 printed serve 'listening on' || bail_out "serve"

# ---- what is told meanwhile ----
terminal() {
	script -qec "stty cols 100; phonevpn mint --all --rekey --keygen library --jobs 2" /dev/null
}
terminal >"$T/terminal" 2>&1
like "a terminal shows how far it is, how fast and how long still" "$(tr '\r' '\n' <"$T/terminal")" 'minting [0-9]+ of 45.*/s.*left'
ok "a pipe shows nothing of that" phonevpn mint --all --rekey
is "... but the end" "$(cat "$T/err"; tail -n 1 "$T/out")" "minted 45, left 0 as they are, turned down 5"

# ---- the server has filled it ----
filled() {
	[ "$(ready)" = "2048 native 3, 2048 library 0" ]
}
ok "the server keeps as many ready as it was told" wait_until 90 filled
more_ready() {
	[ "$(sqlite3 "$db" 'SELECT count(*) FROM key_pool')" -gt 3 ]
}
# It has a thread that runs when nothing else does, as long as keys are to be made.
at_rest() {
	! ps -L -o cls= -p "$(pid_of serve)" | grep -q IDL
}
phonevpn --quiet config set keypool 1000000
ok "told to make far more, it begins" wait_until 90 more_ready
phonevpn --quiet config set keypool 3
ok "... and ends when it is told otherwise" wait_until 90 at_rest
ok "... and ends at once" stop serve
