#!/bin/bash
# SPDX-License-Identifier: ISC
#
# What "check server" says of a line is what OpenVPN 2.6 says: each directive with fewer and with more arguments than it
# takes, every word that OpenVPN's program and its help hold, directives of other versions and systems, blocks, and values
# that are refused. No expectation stands here: OpenVPN is asked.
. "$(dirname "$0")/lib.sh"

command -v openvpn >/dev/null || skip_all "no openvpn"
openvpn --version | grep -q '^OpenVPN 2\.6\.' || skip_all "not OpenVPN 2.6"

# ---- each directive with each number of arguments ----
data=$SOURCE/tests/data/openvpn-server-directives
# probes: one a line, for each number of arguments up to one more than the line has
awk '/^#/ { next } { line = $1; print line; for (i = 2; i <= NF; i++) { line = line " " $i; print line } print line " more" }' \
	"$data" >"$T/arguments"
awk '!/^#/ { print $1 }' "$data" | sort -u >"$T/names"
# Every word in the program, which holds the names of all that it knows.
{
	openvpn --help
	tr '\0' '\n' <"$(command -v openvpn)" | grep -a -e '^[a-z][a-z0-9-]*$' -e '--[a-z]'
} | grep -aoE -e '^[a-z][a-z0-9-]+$' -e '--[a-z][a-z0-9-]*' | sed 's/^--//' | sort -u | grep -vxE 'daemon|syslog|mktun|rmtun' |
	comm -23 - "$T/names" >"$T/words"
awk '{ print; print $1 " 1"; print $1 " 1 2"; print $1 " 1 2 3" }' "$T/words" >"$T/unknown"
for word in tls-remote key-method no-iv ifconfig-pool-linear foreign-option inetd keysize management-client-pf ncp-disable \
	compat-names no-name-remapping client-cert-not-required dns-updown override-username route-table tls-crypt-v2-max-age \
	allow-deprecated-insecure-static-crypto block-outside-dns ip-win32 register-dns msg-channel windows-driver setcon iproute \
	foobar verb2 "</ca>" -verb --verb ---verb; do
	printf '%s\n' "$word" "$word 1" "$word 1 2"
done >"$T/others"

# asked PROBES: the number of each that OpenVPN takes, into PROBES.taken. A probe is a line, "\n" in it ends another. With
# FORWARD_COMPATIBLE OpenVPN only warns of what it does not know and reads on; before each probe it is made to say its
# number, and at another error it starts anew behind that one.
asked() {
	local first=1 last count
	count=$(wc -l <"$1")
	: >"$1.taken"
	while [ "$first" -le "$count" ]; do
		{
			echo "setenv FORWARD_COMPATIBLE 1"
			tail -n "+$first" "$1" | awk -v n="$first" '{ print "echo msg-" n++; gsub(/\\n/, "\n"); print }'
			echo "echo msg-$((count + 1))"
			echo "proto end"
		} >"$T/asked.conf"
		openvpn --config "$T/asked.conf" 2>&1 </dev/null | tr -d '\0' >"$T/asked.log"
		last=$(sed -n 's/.*ECHO:msg-//p' "$T/asked.log" | tail -n 1)
		[ -n "$last" ] || bail_out "OpenVPN says nothing of $(sed -n "${first}p" "$1")"
		awk '/ECHO:msg-/ { if (n && !bad) print n; sub(/.*ECHO:msg-/, ""); n = $0; bad = 0 } /Unrecognized option/ { bad = 1 }' \
			"$T/asked.log" >>"$1.taken"
		first=$((last + 1))
	done
}
# said PROBES: the same of "check server"; a report has 1000 findings at most
said() {
	local count at
	count=$(wc -l <"$1")
	: >"$1.refused"
	for ((at = 1; at <= count; at += 300)); do
		sed -n "$at,$((at + 299))p" "$1" | awk -v n="$at" -v map="$T/map" -v conf="$T/said.conf" '
			{ lines = split($0, line, /\\n/); for (i = 1; i <= lines; i++) { print line[i] >conf; print n >map }; n++ }'
		phonevpn check server "$T/said.conf" --format json >"$T/said.json"
		[ "$(jq .left_off "$T/said.json")" = 0 ] || bail_out "check server"
		jq -r --arg file "$T/said.conf" '.findings[] | select(.severity == "error" and .file == $file and .line != null and
			(.rule | startswith("server-directive-"))) | .line' "$T/said.json" |
			awk 'NR == FNR { probe[NR] = $0; next } { print probe[$1] }' "$T/map" - >>"$1.refused"
	done
	sort -nu -o "$1.refused" "$1.refused"
	comm -23 <(seq "$count" | sort) <(sort "$1.refused") | sort -n >"$1.said"
}
# agree WHAT PROBES. An error may come of a probe before, so that one which OpenVPN alone refuses is tried by itself.
agree() {
	local n
	asked "$2"
	said "$2"
	for n in $(comm -23 <(sort "$2.said") <(sort "$2.taken")); do
		sed -n "${n}p" "$2" >"$T/alone"
		asked "$T/alone"
		[ ! -s "$T/alone.taken" ] || echo "$n" >>"$2.taken"
	done
	sort -n -o "$2.taken" "$2.taken"
	is "$1" "$(diff "$2.said" "$2.taken" | awk 'NR == FNR { probe[FNR] = $0; next } /^[<>]/ { print $1, probe[$2] }' "$2" -)" ""
}
# cd, config and ignore-unknown-option act on what is behind them; what shows or makes something is read and then done in
# place of serving: both are tried by themselves below.
grep -vE '^(cd|config|ignore-unknown-option|show-[a-z]*|genkey|test-crypto)( |$)' "$T/arguments" >"$T/directives"
agree "each directive with each number of arguments" "$T/directives"
ok "... many are taken" [ "$(wc -l <"$T/directives.taken")" -gt 300 ]
ok "... and many are not" [ "$(wc -l <"$T/directives.refused")" -gt 200 ]
agree "no word of OpenVPN's own is missing" "$T/unknown"
agree "other versions, other systems, other words" "$T/others"
is "... of which one is none" "$(awk 'NR == FNR { taken[$1] = 1; next } FNR in taken' "$T/others.taken" "$T/others")" "--verb 1"
# The content of these is judged as well: connection, peer-fingerprint, verify-hash; and providers at the start only. At each
# refused block OpenVPN ends: all that "check server" takes, and every fourth of the others.
grep -vxE 'connection|peer-fingerprint|verify-hash|providers' "$T/names" | sed 's/.*/<&>\\nx\\n<\/&>/' >"$T/every"
said "$T/every"
awk 'NR == FNR { takes[$1] = 1; next } FNR in takes || FNR % 4 == 0' "$T/every.said" "$T/every" >"$T/blocks"
agree "directives as blocks" "$T/blocks"
ok "... some are taken" [ "$(wc -l <"$T/blocks.taken")" -gt 10 ]
grep -v '^#' "$SOURCE/tests/data/openvpn-server-values" >"$T/values"
agree "values" "$T/values"
ok "... many are taken" [ "$(wc -l <"$T/values.taken")" -gt 60 ]
ok "... and many are not" [ "$(wc -l <"$T/values.refused")" -gt 60 ]

# ---- what stands beside others ----
pem=
for block in ca:CERTIFICATE cert:CERTIFICATE "key:PRIVATE KEY"; do
	pem+=$(printf '<%s>\n-----BEGIN %s-----\nTUlJ\n-----END %s-----\n</%s>' "${block%%:*}" "${block#*:}" "${block#*:}" "${block%%:*}")$'\n'
done
# server FILE LINES: the usual server with those lines; one "-NAME" takes away the usual ones, as does one of that name
server() {
	local usual=("port 1194" "proto udp" "dev tun" "topology subnet" "server 10.8.0.0 255.255.255.0" "dh none" "keepalive 5 30") line name
	local more=()
	while IFS= read -r line; do
		[[ $line == -* ]] || more+=("$line")
		name=${line#-}
		name=${name%% *}
		without "$name" "${usual[@]}"
		usual=("${kept[@]}")
	done <<<"${2// \/\/ /$'\n'}"
	printf '%s\n' "${usual[@]}" ${more[@]+"${more[@]}"} "${pem%$'\n'}" >"$1"
}
# without NAME LINE...: those that do not begin with it, in $kept
without() {
	local name=$1 line
	shift
	kept=()
	for line; do [[ ${line%% *} == "$name" ]] || kept+=("$line"); done
}
# starts FILE: OpenVPN gets as far as the certificates, which are none
starts() {
	timeout 10 openvpn --cd "$T" --config "$1" </dev/null >"$1.log" 2>&1
	grep -aq 'Cannot load inline certificate file' "$1.log"
}
# passes FILE: "check server" has no error of a rule that is about that
passes() {
	phonevpn --quiet check server "$1" >"$1.said"
	! grep -qE ' error: .*\[server-(line|directive-[a-z]*|options|network|file-missing|comp-refused)\]$' "$1.said"
}
judge() {
	local i openvpn check
	trap - EXIT
	for ((i = $1; i < ${#probes[@]}; i += 2)); do
		server "$T/v$i.conf" "${probes[i]}"
		starts "$T/v$i.conf" && openvpn=starts || openvpn=dies
		passes "$T/v$i.conf" && check=starts || check=dies
		echo "$openvpn $check" >"$T/v$i.verdict"
	done
}
# beside WHAT: of the array probes
beside() {
	local i taken=0 refused=0 openvpn check wrong=()
	judge 0 &
	judge 1
	wait $!
	for i in "${!probes[@]}"; do
		read -r openvpn check <"$T/v$i.verdict"
		[ "$openvpn" = "$check" ] || wrong+=("${probes[i]}: OpenVPN $openvpn, check server says it $check")
		[ "$openvpn" = starts ] && taken=$((taken + 1)) || refused=$((refused + 1))
	done
	is "$1" "$(printf '%s\n' ${wrong[@]+"${wrong[@]}"})" ""
	diag "$taken taken, $refused refused"
}
mapfile -t probes < <(grep -v '^#' "$SOURCE/tests/data/openvpn-server-beside")
beside "directives beside others"

# ---- what acts on the lines behind it ----
mkdir "$T/sub"
echo "verb" >"$T/bad.conf"
echo "config self.conf" >"$T/self.conf"
echo "config deeper.conf" >"$T/sub/deep.conf"
echo "mute 5" >"$T/sub/deeper.conf"
for ((i = 1; i <= 10; i++)); do echo "config level$((i + 1)).conf" >"$T/level$i.conf"; done
echo "mute 5" >"$T/level10.conf"
echo "config level1.conf" >"$T/level0.conf"
probes=("setenv opt foobar x" "setenv opt" "setenv opt verb" "setenv opt verb 3" "setenv opt topology foo" "setenv opt compat-names"
	"setenv opt ifconfig-push 10.8.0.2 10.8.0.1" "setenv opt ignore-unknown-option foobar // foobar" "setenv optional x // foobar"
	"setenv FORWARD_COMPATIBLE 1 // foobar // verb // verb 1 2" "setenv FORWARD_COMPATIBLE 1 // topology foo"
	"setenv FORWARD_COMPATIBLE 0 // foobar" "foobar // setenv FORWARD_COMPATIBLE 1" "setenv FORWARD_COMPATIBLE 1 // no-name-remapping"
	"setenv FORWARD_COMPATIBLE 1 // disable" "setenv FORWARD_COMPATIBLE 1 // keysize 128" "setenv FORWARD_COMPATIBLE 1 // <ca"
	"ignore-unknown-option foobar --baz verb // foobar x // baz // verb" "ignore-unknown-option foobar // foobaz"
	"ignore-unknown-option foobar // topology foo" "foobar // ignore-unknown-option foobar" "ignore-unknown-option"
	"ignore-unknown-option a // ignore-unknown-option b // a // b" "ignore-unknown-option dns-updown // dns-updown x"
	"config bad.conf" "config self.conf" "config level2.conf" "config level1.conf" "config level0.conf" "config nothing.conf" "config"
	"config a b" "config bad.conf // setenv FORWARD_COMPATIBLE 1" "setenv FORWARD_COMPATIBLE 1 // config bad.conf" "cd nothing" "cd sub"
	"cd sub // config deep.conf" "config deep.conf" "config sub/deep.conf" "cd sub // cd .. // config sub/deeper.conf"
	"-dh // config sub/dh.conf" "<foobar> // x // </foobar>" "<foobar> // x" "ca // x" "plugin nothing.so // plugin"
	"<connection> // remote 192.0.2.1 // </connection>" "-topology" "$(printf 'push "%0247d"' 0)" "$(printf 'push "%0248d"' 0)"
	"push \"open" "push a\\b" VERB "<ca" ca.crt show-ciphers show-tls show-groups show-digests "genkey secret" test-crypto)
echo "dh none" >"$T/sub/dh.conf"
beside "setenv opt, ignore-unknown-option, config, cd, blocks"

# ---- without effect ----
phonevpn check server "$data" --format json >"$T/ignored.json"
mapfile -t probes < <(jq -r '.findings[] | select(.rule == "server-directive-ignored") | .line' "$T/ignored.json" |
	while read -r line; do sed -n "${line}p" "$data"; done)
ok "some directives are overlooked" [ ${#probes[@]} -gt 5 ]
for i in "${!probes[@]}"; do
	server "$T/i$i.conf" "${probes[i]}"
	ok "OpenVPN starts with ${probes[i]%% *}" starts "$T/i$i.conf"
	like "... and says that it counts for nothing" "$(cat "$T/i$i.conf.log")" 'ignored|DEPRECATED OPTION|do not support specifying|Consider setting'
done

# ---- no false alarm ----
sample=/usr/share/doc/openvpn/examples
cp "$sample"/sample-config-files/server.conf "$sample"/sample-keys/{ca.crt,server.crt,server.key,dh2048.pem,ta.key} "$T/sub" 2>/dev/null
if [ -e "$T/sub/server.conf" ]; then
	phonevpn check server "$T/sub/server.conf" --format json >"$T/sample.json"
	is "OpenVPN's own sample has no such error" "$(jq -r '.findings[] | select(.rule | test("^server-(line|directive-|options$|file-missing$)")) | .text' "$T/sample.json")" ""
else
	skip 1 "no sample of OpenVPN's"
fi
done_testing
