#!/bin/bash
# SPDX-License-Identifier: ISC
#
# fuzz/run.sh BUILD SECONDS: what "make fuzz" does with the fuzzers once they are built: each for so long, from the
# tree's seeds and from what earlier runs found (BUILD/corpus/NAME). An input that breaks a parser is left in
# BUILD/crashes and the status is 1.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$1
seconds=$2
broken=0
trap 'exit 130' INT

mkdir -p "$build/crashes" || exit 1
for target in tests/fuzz/*_fuzz.c; do
	name=$(basename "$target" _fuzz.c)
	mkdir -p "$build/corpus/$name" || exit 1
	echo "== $name, $seconds s"
	# New finds go to the first folder; the seeds are only read.
	"$build/tests/fuzz/${name}_fuzz" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="$build/crashes/$name-" "$build/corpus/$name" "tests/data/fuzz/$name" \
		>"$build/$name.log" 2>&1
	status=$?
	if [ "$status" -eq 0 ]; then
		grep -E 'stat::number_of_executed_units|^Done|^#.*DONE' "$build/$name.log"
		continue
	fi
	tail -n 60 "$build/$name.log"
	broken=$((broken + 1))
done
[ "$broken" -eq 0 ] || {
	echo "fuzz: $broken parsers broke; see $build/crashes" >&2
	exit 1
}
