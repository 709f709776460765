#!/bin/bash
# SPDX-License-Identifier: ISC
#
# fuzz/run.sh BUILD SECONDS HTTP_SECONDS: what "make fuzz" does with the fuzzers once they are built: the server's whole
# requests for HTTP_SECONDS, beside them the parsers one after the other, each for SECONDS; from the tree's seeds and from
# what earlier runs found (BUILD/corpus/NAME). An input that breaks one is left in BUILD/crashes and the status is 1.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$1
seconds=$2
http_seconds=$3
broken=0
trap '[ -z "$http" ] || kill "$http"; exit 130' INT TERM
http=

# fuzz NAME SECONDS: run a target; what it says is in $build/NAME.log
fuzz() {
	local options=()
	mkdir -p "$build/corpus/$1" || return 1
	[ ! -e "tests/fuzz/$1.dict" ] || options=(-dict="tests/fuzz/$1.dict")
	[ ! -e "tests/fuzz/$1_seeds.sh" ] || "tests/fuzz/$1_seeds.sh" "$build/corpus/$1" || return 1
	# New finds go to the first folder; the seeds are only read.
	exec "$build/tests/fuzz/${1}_fuzz" -max_total_time="$2" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		"${options[@]}" -artifact_prefix="$build/crashes/$1-" "$build/corpus/$1" "tests/data/fuzz/$1"
}

# judge NAME STATUS
judge() {
	if [ "$2" -eq 0 ]; then
		grep -E 'stat::number_of_executed_units|^Done|^#.*DONE' "$build/$1.log"
		return
	fi
	tail -n 60 "$build/$1.log"
	broken=$((broken + 1))
}

mkdir -p "$build/crashes" || exit 1
fuzz http "$http_seconds" >"$build/http.log" 2>&1 &
http=$!
for target in tests/fuzz/*_fuzz.c; do
	name=$(basename "$target" _fuzz.c)
	[ "$name" != http ] || continue
	echo "== $name, $seconds s"
	(fuzz "$name" "$seconds") >"$build/$name.log" 2>&1
	judge "$name" $?
done
echo "== http, $http_seconds s"
wait "$http"
status=$?
http=
judge http "$status"
[ "$broken" -eq 0 ] || {
	echo "fuzz: $broken targets broke; see $build/crashes" >&2
	exit 1
}
