# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# What the end-to-end scripts share; a script begins with
#
#	. "$(dirname "$0")/lib.sh"
#	plan 3
#
# and speaks TAP. $BUILD is the folder of the programs (they are in $PATH), $SOURCE the tree, $T a folder of the
# script's own. However the script ends, its processes (spawn), namespaces (netns.sh) and $T are gone afterwards; with
# KEEP=1 $T stays. A script's own function on_cleanup is called before. A report of a sanitizer in any program that ran
# fails the script.
#
# ok, is, like, unlike are tests. fails_with, wait_until, printed, lives are conditions, for ok or if:
#
#	ok "a phone that is not there is told apart from an error" fails_with 3 phonevpn phone show 000fd3000001
#	spawn server phonevpn serve --listen 127.0.0.1:0
#	ok "the server comes up" wait_until 10 printed server 'listening on'

set -u
set -o pipefail

SOURCE=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
BUILD=$(realpath -m "${BUILD:-$SOURCE/build/gcc}")
T=$(mktemp -d "${TMPDIR:-/tmp}/phonevpn-e2e.XXXXXX") || exit 1
T=$(realpath "$T")
# For OpenVPN's server, which becomes nobody.
chmod 711 "$T" || exit 1
export SOURCE BUILD T
export PATH="$BUILD:$PATH:/usr/sbin:/sbin"
export LC_ALL=C
unset PHONEVPN_DIR PHONEVPN_MASTER_KEY http_proxy https_proxy all_proxy
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}log_path=$T/sanitizer"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:+$UBSAN_OPTIONS:}log_path=$T/sanitizer"

tap_run=0
tap_failed=0
declare -A spawned=()
spawn_order=()

plan() {
	echo "1..$1"
}

# For a script that cannot know beforehand; with a plan, a test that got lost is missed.
done_testing() {
	plan "$tap_run"
}

# Lines for the reader, from standard input or the arguments.
diag() {
	if [ $# -gt 0 ]; then
		printf '%s\n' "$*"
	else
		cat
	fi | sed 's/^/# /'
}

# skip_all WHY: the script has nothing to test here.
skip_all() {
	echo "1..0 # SKIP $*"
	exit 0
}

# skip COUNT WHY: so many tests count as run.
skip() {
	local count=$1
	shift
	while [ "$count" -gt 0 ]; do
		tap_run=$((tap_run + 1))
		echo "ok $tap_run # SKIP $*"
		count=$((count - 1))
	done
}

bail_out() {
	echo "Bail out! $*"
	exit 1
}

tap_result() {
	local status=$1 what=$2
	tap_run=$((tap_run + 1))
	if [ "$status" -eq 0 ]; then
		echo "ok $tap_run - $what"
		return 0
	fi
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_run - $what"
	return 1
}

# ok WHAT COMMAND...: its status is 0. What it printed is in $T/out and $T/err afterwards.
ok() {
	local what=$1 status
	shift
	"$@" >"$T/out" 2>"$T/err"
	status=$?
	tap_result "$status" "$what" && return 0
	diag "status $status of: $*"
	head -n 40 "$T/out" | diag
	head -n 40 "$T/err" | diag
	return 1
}

# is WHAT FOUND EXPECTED
is() {
	[ "$2" = "$3" ]
	tap_result $? "$1" && return 0
	diag "expected: $3"
	diag "found:    $2"
	return 1
}

# like WHAT TEXT ERE: one of the text's lines matches.
like() {
	grep -qE -e "$3" <<<"$2"
	tap_result $? "$1" && return 0
	diag "expected a line that matches: $3"
	diag "found: $2"
	return 1
}

# unlike WHAT TEXT ERE: none does.
unlike() {
	! grep -qE -e "$3" <<<"$2"
	tap_result $? "$1" && return 0
	diag "expected no line that matches: $3"
	diag "found: $2"
	return 1
}

# fails_with STATUS COMMAND...: it ends with exactly that status.
fails_with() {
	local expected=$1 status
	shift
	"$@"
	status=$?
	[ "$status" -eq "$expected" ] && return 0
	echo "expected status $expected, found $status"
	return 1
}

# same_bytes FILE FILE
same_bytes() {
	cmp -- "$1" "$2"
}

# wait_until SECONDS COMMAND...: until it succeeds; whole seconds. What it prints is dropped.
wait_until() {
	local seconds=$1 end=$((${EPOCHREALTIME//[.,]/} + $1 * 1000000))
	shift
	until "$@" >/dev/null 2>&1; do
		if [ "${EPOCHREALTIME//[.,]/}" -ge "$end" ]; then
			echo "not within $seconds s: $*"
			return 1
		fi
		sleep 0.05
	done
}

# spawn NAME PROGRAM...: in the background, until stop NAME or the end. "in_netns NETNS PROGRAM..." does as well, no
# other function: the pid has to be the program's. What it prints is in $T/NAME.out and $T/NAME.err.
spawn() {
	local name=$1
	shift
	[ -z "${spawned[$name]-}" ] || bail_out "spawn $name: runs already"
	if [ "$1" = in_netns ]; then
		shift
		set -- ip netns exec "$(netns_name "$1")" "${@:2}"
	fi
	# Here and not in the background, where it may come too late: what a former one printed is nobody's any more.
	: >"$T/$name.out"
	: >"$T/$name.err"
	# A shell's background commands ignore Ctrl-C, unless told otherwise.
	env --default-signal=INT,QUIT "$@" >>"$T/$name.out" 2>>"$T/$name.err" </dev/null &
	spawned[$name]=$!
	spawn_order+=("$name")
}

pid_of() {
	echo "${spawned[$1]}"
}

# lives NAME: it has not ended.
lives() {
	[ -n "${spawned[$1]-}" ] && kill -0 "${spawned[$1]}" 2>/dev/null
}

ended() {
	! lives "$1"
}

# printed NAME ERE: a line of what it printed until now matches; the lines are printed.
printed() {
	grep -hE -e "$2" "$T/$1.out" "$T/$1.err"
}

# logged NAME: all that a "phonevpn serve" of that name has answered until now is in its log, which gathers lines for a moment.
logged() {
	local mark=/mark-$RANDOM$RANDOM
	curl -sk -o /dev/null "$(sed -n 's/^listening on //p' "$T/$1.out")$mark"
	wait_until 5 printed "$1" "$mark "
}

# stop NAME [SIGNAL]: end it, by force after $STOP_LIMIT seconds (10); the status is its own.
stop() {
	local name=$1 pid=${spawned[$1]-}
	[ -n "$pid" ] || return 1
	unset "spawned[$name]"
	kill "-${2:-TERM}" "$pid" 2>/dev/null
	wait_until "${STOP_LIMIT:-10}" tap_gone "$pid" || {
		diag "$name: killed, as signal ${2:-TERM} did not end it"
		kill -KILL "$pid" 2>/dev/null
	}
	wait "$pid" 2>/dev/null
}

# joined NAME: wait for it to end by itself (first wait_until SECONDS ended NAME); the status is its own.
joined() {
	local pid=${spawned[$1]-}
	[ -n "$pid" ] || return 1
	unset "spawned[$1]"
	wait "$pid"
}

# A port of 127.0.0.1 that the kernel has just picked, for servers that cannot ask for one themselves.
free_port() {
	perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1")->sockport'
}

tap_gone() {
	! kill -0 "$1" 2>/dev/null
}

tap_cleanup() {
	local status=$? i report
	trap '' INT TERM HUP PIPE
	if declare -F on_cleanup >/dev/null; then
		on_cleanup
	fi
	for ((i = ${#spawn_order[@]} - 1; i >= 0; i--)); do
		[ -z "${spawned[${spawn_order[i]}]-}" ] || stop "${spawn_order[i]}"
	done
	if declare -F netns_cleanup >/dev/null; then
		netns_cleanup
	fi
	for report in "$T"/sanitizer.*; do
		[ -e "$report" ] || continue
		diag "a sanitizer reports:"
		diag <"$report"
		[ "$status" -ne 0 ] || status=86
	done
	cd /
	if [ -n "${KEEP-}" ]; then
		diag "kept: $T"
	else
		rm -rf "$T"
	fi
	[ "$status" -ne 0 ] || [ "$tap_failed" -eq 0 ] || status=1
	exit "$status"
}
trap tap_cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
trap 'exit 141' PIPE
