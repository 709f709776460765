#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The helpers themselves: a test that cannot fail, or leaves processes behind, is worse than none.
# shellcheck disable=SC2016 # the small scripts expand their variables themselves
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/netns.sh"
plan 35

HERE=$SOURCE/tests/e2e
# One of the small scripts cannot clean up.
export TMPDIR=$T

# script NAME BODY: a small script of its own that uses lib.sh.
script() {
	printf '. "%s/lib.sh"\n. "%s/netns.sh"\n%s\n' "$HERE" "$HERE" "$2" >"$T/$1.sh"
}

# counted NAME...: what tests/run.sh counts for these scripts: "PASSED FAILED".
counted() {
	local name files=()
	for name; do
		files+=("$T/$name.sh")
	done
	prove --nocolor --exec bash "${files[@]}" >"$T/prove" 2>&1
	awk -f "$SOURCE/tests/tap_count.awk" "$T/prove"
}

gone() {
	! kill -0 "$1" 2>/dev/null
}

runs() {
	[ "$(ps -o comm= -p "$1")" = "$2" ]
}

no_netns_of() {
	! ip netns list | grep -q "^phonevpn-$1-"
}

# Counting
script good 'plan 2; ok "a" true; is "b" 1 1'
is "passed tests are counted" "$(counted good)" "2 0"
script bad 'plan 5
ok "a" false; is "b" 1 2; like "c" abc "^b"; unlike "d" abc "^a"; ok "e" fails_with 3 sh -c "exit 4"'
is "each helper can fail, and is counted" "$(counted bad)" "0 5"
script short 'plan 5; ok "a" true; ok "b" true'
is "planned tests that did not run are failures" "$(counted short)" "2 3"
script long 'plan 1; ok "a" true; ok "b" true'
is "a test beyond the plan is a failure" "$(counted long)" "1 1"
script planless 'ok "a" true'
is "a script that forgets its plan is a failure" "$(counted planless)" "1 1"
script silent 'exit 0'
is "a script that tests nothing is a failure" "$(counted silent)" "0 1"
script status 'plan 1; ok "a" true; exit 7'
is "a script that ends with a status is a failure" "$(counted status)" "1 1"
script signal 'plan 1; ok "a" true; kill -KILL $$'
is "a script that is killed is a failure" "$(counted signal)" "1 1"
script both 'plan 2; ok "a" true; ok "b" false'
is "several scripts are added up" "$(counted good both bad short status)" "6 10"
script skipped 'plan 2; skip 2 "no such thing here"'
is "skipped tests do not fail" "$(counted skipped)" "2 0"
script absent 'skip_all "no such thing here"'
is "a skipped script does not fail" "$(counted absent)" "0 0"

# Processes and files
script leaver 'plan 1; echo "$T" >&3; spawn a sleep 1000; pid_of a >&3; ok "it runs" lives a'
ok "a script with a process in the background passes" bash "$T/leaver.sh" 3>"$T/left"
{ read -r folder && read -r pid; } <"$T/left"
ok "its process is gone afterwards" gone "$pid"
ok "and so is its folder" test ! -e "$folder"
for signal in INT TERM; do
	script "long$signal" 'spawn a sleep 1000; echo "$T $(pid_of a)" >"$0.state"; wait_until 60 false'
	spawn "long$signal" bash "$T/long$signal.sh"
	wait_until 10 test -s "$T/long$signal.sh.state" && read -r folder pid <"$T/long$signal.sh.state"
	kill "-$signal" "$(pid_of "long$signal")"
	ok "a script ends on SIG$signal" wait_until 10 ended "long$signal"
	ok "SIG$signal leaves no process" gone "$pid"
	ok "SIG$signal leaves no folder" test ! -e "$folder"
	stop "long$signal"
done
spawn stubborn bash -c 'trap "" TERM; echo ready; while :; do sleep 0.1; done'
wait_until 10 printed stubborn ready
pid=$(pid_of stubborn)
STOP_LIMIT=1 stop stubborn >"$T/stubborn.said"
like "a process that ignores SIGTERM is killed, and it is said" "$(<"$T/stubborn.said")" '^# stubborn: killed'
ok "and it is gone" gone "$pid"
spawn brief sh -c 'echo to-out; echo to-err >&2; exit 9'
ok "the end of a process can be waited for" wait_until 10 ended brief
ok "its own status comes back" fails_with 9 joined brief
ok "what it printed can be searched" printed brief to-err
ok "what it did not print is not found" fails_with 1 printed brief to-nobody
ok "a wait has an end" fails_with 1 wait_until 1 false
spawn ctrl_c bash -c 'trap "echo caught; exit 5" INT; echo ready; while :; do sleep 0.1; done'
wait_until 10 printed ctrl_c ready
ok "Ctrl-C reaches a process in the background" fails_with 5 stop ctrl_c INT

# Sanitizers
printf '%s\n' 'int main(int c, char **v) { int a[2] = { 0 }; return a[c + 1] + (v == 0); }' >"$T/overflow.c"
script unsound 'plan 1; "$(dirname "$0")/overflow"; ok "nothing looks at the status" true'
if gcc -fsanitize=address,undefined -fno-sanitize-recover=all -static-libubsan -o "$T/overflow" "$T/overflow.c" 2>/dev/null; then
	is "a sanitizer's report fails the script that does not look" "$(counted unsound)" "1 1"
else
	skip 1 "no compiler with sanitizers"
fi

# Network namespaces
if why=$(netns_missing); then
	skip 6 "$why"
else
	netns_server
	netns_phone a
	netns_phone b
	address=$(netns_address a)
	ok "a phone reaches the server" in_netns a ping -c 1 -W 5 "$NETNS_SERVER"
	ok "the server reaches a phone" in_netns server ping -c 1 -W 5 "$address"
	ok "no phone reaches another" fails_with 2 in_netns b ping -c 1 -W 1 "$address"
	spawn inside in_netns a sleep 1000
	ok "the pid of a process in a namespace is its own" wait_until 10 runs "$(pid_of inside)" sleep
	ok "and ends it" fails_with 143 stop inside
	script net 'netns_server; netns_phone a; spawn a in_netns a sleep 1000; echo $$ >"$0.state"; wait_until 60 false'
	spawn net bash "$T/net.sh"
	wait_until 10 test -s "$T/net.sh.state" && read -r pid <"$T/net.sh.state"
	stop net INT
	ok "Ctrl-C leaves no namespace" no_netns_of "$pid"
fi
