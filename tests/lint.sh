#!/bin/bash
# SPDX-License-Identifier: ISC
#
# lint.sh BUILD: static checks of code, scripts and manual; BUILD holds the objects and man pages of a build with gcc.
# Prints what is wrong, or "lint: clean".
set -u
shopt -s lastpipe # "... | wrong" counts in this shell
cd "$(dirname "$0")/.." || exit 1
build=${1:-build/gcc}
bad=0

# wrong WHAT: standard input holds the places, if any.
wrong() {
	local places
	places=$(cat)
	[ -n "$places" ] || return 0
	printf 'lint: %s\n%s\n' "$1" "$(sed 's/^/  /' <<<"$places")"
	bad=$((bad + 1))
}

# quiet WHAT COMMAND...: is wrong when it fails.
quiet() {
	local what=$1 said
	shift
	said=$("$@" 2>&1) || printf '%s\n' "${said:-status $?}" | wrong "$what"
}

mapfile -t files < <(find . \( -name .git -o -path ./build -o -path "./${build#./}" \) -prune -o -type f -print | sed 's,^\./,,' | sort)
code=() headers=() scripts=() texts=()
for file in "${files[@]}"; do
	case $file in
	*.c) code+=("$file") ;;
	*.h) headers+=("$file") ;;
	*.sh | .ci/run) scripts+=("$file") ;;
	esac
	case $file in
	tests/data/* | .ci/*) ;;
	*) texts+=("$file") ;;
	esac
done

# Which folder may include which: arrows point down only.
awk '
	BEGIN {
		may["common"] = ""
		may["dseries"] = may["ca"] = may["db"] = "common"
		may["bundler"] = "common dseries ca"
		may["pbx"] = "common"
		may["provisioner"] = "common dseries bundler"
		may["rollout"] = "common db"
		may["phone"] = "common dseries"
		may["cli"] = "common dseries ca db bundler pbx provisioner rollout"
	}
	/^[ \t]*#[ \t]*include[ \t]*"/ {
		split(FILENAME, from, "/")
		split($0, quoted, "\"")
		split(quoted[2], to, "/")
		if (from[1] == "tests")
			next
		if (!(from[1] in may))
			print FILENAME ": a folder that the house does not have"
		else if (index(quoted[2], "/") == 0)
			print FILENAME ":" FNR ": name the folder: " $0
		else if (to[1] != from[1] && index(" " may[from[1]] " ", " " to[1] " ") == 0)
			print FILENAME ":" FNR ": " from[1] " may include of " (may[from[1]] == "" ? "nothing else" : may[from[1]]) ": " $0
	}' "${code[@]}" "${headers[@]}" | wrong "an arrow that points up or sideways"

grep -n 'sqlite3\.h' "${code[@]}" "${headers[@]}" | grep -v '^db/sqlite[^/]*:' | grep -v '^tests/' |
	wrong "sqlite3.h outside of db/sqlite*"

grep -nE '\b(v?sprintf|strcpy|strcat|strtok|atoi|atol|gets|alloca)[[:space:]]*\(' "${code[@]}" "${headers[@]}" |
	wrong "banned functions"

# What may change at run time: .data and .bss; tables of pointers are in .data.rel.ro. The one that may is the log level.
find "$build" -name '*.o' -not -path "$build/tests/*" -exec objdump -t {} + 2>/dev/null | awk '
	/file format/ { file = $1; sub(/:$/, "", file) }
	$0 ~ / O (\.t?(bss|data)|\*COM\*)/ && $0 !~ / O \.data\.rel\.ro/ && $NF != "log_threshold" { print file ": " $NF }' |
	wrong "mutable globals"

# Files that may be longer, each with its reason.
declare -A long=()
for file in "${code[@]}" "${headers[@]}"; do
	lines=$(wc -l <"$file")
	[ "$lines" -le 450 ] || [ -n "${long[$file]-}" ] || echo "$file: $lines lines"
done | wrong "files of more than 450 lines: split by subject"

grep -nIE '[[:blank:]]+$' "${texts[@]}" | wrong "blanks at the end of a line"
grep -LE 'SPDX-License-Identifier: ISC' "${code[@]}" "${headers[@]}" "${scripts[@]}" Makefile | wrong "no SPDX line"
# Written so that this line is none of them.
grep -nIE '(^|[^[:alnum:]_.$}/])/(wor[k]|roo[t]|hom[e])/' "${files[@]}" | wrong "paths of somebody's machine"
for script in "${scripts[@]}"; do
	[ -x "$script" ] || [ "$(head -c 2 "$script")" != '#!' ] || echo "$script"
done | wrong "scripts that cannot be run"

clang-format --dry-run -Werror "${code[@]}" 2>&1 | grep -E '^[^ ]*:[0-9]+:' | cut -d: -f1,2 | uniq | wrong "clang-format"
quiet "shellcheck" shellcheck --external-sources --source-path=SCRIPTDIR --exclude=SC2001,SC2015,SC2016,SC2317 "${scripts[@]}"
quiet "cppcheck" cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr -I . -D_GNU_SOURCE \
	-DVERSION='""' --suppress=missingIncludeSystem -j "$(nproc)" --error-exitcode=1 "${code[@]}"
for page in "$build"/doc/*.[1-8]; do
	mandoc -Tlint -Wwarning "$page" 2>&1
done | wrong "manual"

[ "$bad" -eq 0 ] || exit 1
echo "lint: clean"
