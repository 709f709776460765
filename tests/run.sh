#!/bin/bash
# SPDX-License-Identifier: ISC
#
# run.sh BUILD: what "make check" does once the packages are there. Builds into BUILD/gcc, BUILD/clang and
# BUILD/gcc-asan, runs every test, and ends with the line "N passed, N failed"; the status is 1 when one failed.
#
# TESTS="unit valgrind" runs a part of: build clang lint unit asan valgrind fuzz e2e tunnels; tunnels are the end-to-end
# scripts of 60, 80 and 90.
set -u
cd "$(dirname "$0")/.." || exit 1

root=${1:-build}
mkdir -p "$root" || exit 1
root=$(realpath "$root")
log=${CHECK_LOG:-$root/check.log}
tests=${TESTS:-build clang lint unit asan valgrind fuzz e2e tunnels}
limit=${CHECK_LIMIT:-3400} # seconds for everything: whatever hangs, the count is there within the hour
passed=0
failed=0
child=
besides=() # "pid name" of each
not_these=

# The builds here have options of their own.
unset MAKEFLAGS MFLAGS MAKELEVEL

export ASAN_OPTIONS="detect_stack_use_after_return=1:strict_string_checks=1:exitcode=86"
export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1:exitcode=86"

# Each command has a session of its own, by which everything that it started can be found and ended; fails when there
# was something to end.
sweep() {
	local session=$1 i
	pkill -TERM -s "$session" || return 0
	for ((i = 0; i < 100; i++)); do
		pgrep -s "$session" >/dev/null || return 1
		sleep 0.1
	done
	pkill -KILL -s "$session"
	return 1
}

interrupted() {
	[ -z "$child" ] || sweep "$child"
	local one
	for one in "${besides[@]}"; do
		kill "${one% *}" && wait "${one% *}"
	done
	exit 130
}
trap interrupted INT TERM HUP

# limited SECONDS SHOW COMMAND...: run it into the log, no longer than that and than the time left for everything. SHOW
# is "show" to see it at once.
limited() {
	local seconds=$1 show=$2 left=$((limit - SECONDS)) status tail='' first=()
	shift 2
	# Linux weighs sessions against each other, and niceness only within one: sched(7), "The autogroup feature".
	# shellcheck disable=SC2016
	[ -z "${CHECK_BESIDE-}" ] || first=(sh -c '{ echo 19 >/proc/self/autogroup; } 2>/dev/null; exec "$@"' sh)
	if [ "$left" -le 0 ]; then
		echo "not run, $limit s are over: $*" | tee "$log"
		return 124
	fi
	: >"$log"
	setsid "${first[@]}" timeout -k 10 "$((seconds < left ? seconds : left))" "$@" >>"$log" 2>&1 </dev/null &
	child=$!
	if [ "$show" = show ]; then
		tail -n +1 -f -s 0.2 --pid="$child" "$log" &
		tail=$!
	fi
	wait "$child"
	status=$?
	[ -z "$tail" ] || wait "$tail"
	sweep "$child" || echo "# it left processes behind, which are ended now"
	child=
	return "$status"
}

# step SECONDS WHAT COMMAND...: a command that is one test; its output is shown when it fails.
step() {
	local seconds=$1 what=$2 start=$SECONDS status
	shift 2
	limited "$seconds" hide "$@"
	status=$?
	if [ "$status" -eq 0 ]; then
		passed=$((passed + 1))
		echo "ok - $what ($((SECONDS - start)) s)"
	else
		failed=$((failed + 1))
		echo "not ok - $what: status $status after $((SECONDS - start)) s"
		sed 's/^/#   /' "$log"
	fi
}

# build WHAT FOLDER MAKE-ARGUMENT...: a build is a test, too.
build() {
	local what=$1 folder=$2
	shift 2
	step 1800 "$what" make --no-print-directory --keep-going -j"$(nproc)" BUILD="$root/$folder" DEVELOPER=1 "$@"
}

# tap SECONDS WHAT PROVE-ARGUMENT...: programs that speak TAP.
tap() {
	local seconds=$1 what=$2 status count
	shift 2
	echo "== $what"
	# prove, with its output at once: it buffers what is no terminal.
	limited "$seconds" show perl -e '$| = 1; do shift' "$(command -v prove)" --nocolor --failures --comments "$@"
	status=$?
	read -r -a count < <(awk -f tests/tap_count.awk "$log")
	if [ "${#count[@]}" -ne 2 ]; then
		echo "not ok - $what: prove ended with status $status and without a count"
		count=(0 1)
	elif [ "$status" -ne 0 ] && [ "${count[1]}" -eq 0 ]; then
		echo "not ok - $what: prove ended with status $status"
		count[1]=1
	fi
	passed=$((passed + count[0]))
	failed=$((failed + count[1]))
}

# unit WHAT FOLDER SECONDS COMMAND...: every unit test of that build, under a command, but for those in $not_these.
unit() {
	local what=$1 folder=$root/$2/tests/unit seconds=$3 program programs=()
	shift 3
	for program in "$folder"/*_test; do
		case " $not_these " in
		*" $(basename "$program") "*) ;;
		*) programs+=("$program") ;;
		esac
	done
	tap 3000 "$what" --jobs "$(nproc)" --exec "timeout -k 10 $seconds $*" "${programs[@]}"
}

# begin_beside NAME HOW PART...: those of them that are wanted, in what time the others leave of the processors
# where HOW is "idle".
begin_beside() {
	local name=$1 how=$2 part parts=() first=()
	shift 2
	for part; do
		wanted "$part" || continue
		parts+=("$part")
		tests=${tests/"$part"/}
	done
	[ "${#parts[@]}" -gt 0 ] || return 0
	[ "$how" != idle ] || first=(env CHECK_BESIDE=1 nice -n 19)
	TESTS="${parts[*]}" CHECK_LOG=$root/$name.log CHECK_LIMIT=$((limit - SECONDS)) \
		"${first[@]}" tests/run.sh "$root" >"$root/$name.out" 2>&1 &
	besides+=("$! $name")
}

# Show what they said, and count it in.
end_beside() {
	local one out count
	for one in "${besides[@]}"; do
		wait "${one% *}"
		out=$root/${one#* }.out
		sed '$d' "$out"
		read -r -a count < <(sed -n '$s/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$out")
		if [ "${#count[@]}" -ne 2 ]; then
			echo "not ok - ${one#* }: the tests ended without a count"
			tail -n 1 "$out"
			count=(0 1)
		fi
		passed=$((passed + count[0]))
		failed=$((failed + count[1]))
	done
	besides=()
}

# scripts GLOB: end-to-end scripts.
scripts() {
	local script begin
	export BUILD
	for script in $1; do
		# What these do thousands of times takes too long with a sanitizer; the unit tests have it there.
		case $script in
		*/24-* | */25-* | */49-siege.sh | */78-*) BUILD=$root/gcc ;;
		*) BUILD=$root/gcc-asan ;;
		esac
		begin=$SECONDS
		tap 660 "$script" --verbose --exec "timeout -k 30 600 bash" "$script"
		echo "# $script: $((SECONDS - begin)) s"
	done
}

wanted() {
	case " $tests " in *" $1 "*) return 0 ;; esac
	return 1
}

# A function, so that the shell has read the whole script before it runs: this may take long enough for an edit.
main() {
	if wanted build; then
		build "gcc builds everything without a warning" gcc CC=gcc SAN= all unit
		build "gcc builds everything with AddressSanitizer and UBSan" gcc-asan CC=gcc SAN=asan all unit replay
	fi
	# The end-to-end scripts wait for much: others wait beside them, and these only compute.
	if wanted e2e; then
		begin_beside beside idle clang lint unit valgrind
		begin_beside tunnels awake tunnels
	fi
	if wanted clang; then
		build "clang builds everything without a warning" clang CC=clang SAN= all unit
	fi
	if wanted lint; then
		step 1800 "make lint is clean" tests/lint.sh "$root/gcc"
	fi
	if wanted unit; then
		unit "unit tests" gcc 900
	fi
	if wanted asan; then
		unit "unit tests under AddressSanitizer and UBSan" gcc-asan 300
	fi
	if wanted valgrind; then
		# RSA keys of 4096 bits, of each engine and of hundreds of bundles take valgrind many minutes; one test reads
		# whatever memory there is.
		not_these="ca_key_test ca_key_memory_test ca_keygen_test ca_prime_test check_ovpn_samples_test"
		unit "unit tests under valgrind" gcc 1500 valgrind -q --leak-check=full --error-exitcode=87 \
			--suppressions=tests/valgrind.supp
	fi
	if wanted fuzz; then
		local target name
		for target in tests/fuzz/*_fuzz.c; do
			name=$(basename "$target" _fuzz.c)
			tap 300 "parser on its corpus, each file and each of its beginnings: $name" --exec "timeout -k 10 240" \
				"$root/gcc-asan/tests/fuzz/${name}_replay" :: "tests/data/fuzz/$name"/*
		done
	fi
	if wanted e2e; then
		scripts 'tests/e2e/[0-57]*.sh'
	fi
	if wanted tunnels; then
		scripts 'tests/e2e/[689]*.sh'
	fi

	end_beside
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ]
}

main
exit
