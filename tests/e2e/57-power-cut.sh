#!/bin/bash
# SPDX-License-Identifier: ISC
#
# A power cut at any moment of a boot leaves the phone with the old or the new bundle, whole, and the next boot comes up.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/webservers.sh"

CUTS=42 # a multiple of 6, with nothing in common with 37
mac=000fd3006501
export PHONEVPN_DIR=$T/state
phonevpn --quiet init --vpn-host vpn.example.com --url http://127.0.0.1:1 --ca-bits 2048 || bail_out init
phonevpn --quiet phone import "$SOURCE/doc/examples/fleet.csv" || bail_out import
ok "nginx is up" web_start web nginx none
base=$(web_url web)

# Both in the server's folder all the time, and only the XML changes: as an admin should do it.
declare -A md5=()
for name in even odd; do
	phonevpn --quiet mint $mac --renew
	phonevpn emit bundle $mac >"$T/web.www/$name.ovpn"
	md5[$name]=$(phonevpn emit md5 $mac)
done
publish() {
	printf '<config><setting id="openvpn_inline_config" url="%s" value="1" md5="%s"/></config>\n' \
		"$base/$1.ovpn" "${md5[$1]}" >"$T/new.cfg"
	mv "$T/new.cfg" "$T/web.www/$mac.cfg"
}
phone=(refphone --state "$T/phone" --mac "$mac" --model D65 --firmware 2_7_0 --quiet boot --config-url "$base")
boot() {
	"${phone[@]}"
}
# whole NAME...: what the state names is one of them, byte for byte. $found is which.
whole() {
	local name stored
	stored=$(refphone --state "$T/phone" --json status | jq -r 'select(.configuration.stored).configuration.md5') || return 1
	for name; do
		[ "$stored" = "${md5[$name]}" ] || continue
		cmp "$T/web.www/$name.ovpn" "$T/phone/bundle-$stored.ovpn" || return 1
		found=$name
		return 0
	done
	echo "expected one of $*, found md5 ${stored:-none}"
	refphone --state "$T/phone" status
	return 1
}
# tidy NAME: that bundle, the state and the lock, and nothing else.
tidy() {
	local expected
	expected=$(printf '%s\n' . "./bundle-${md5[$1]}.ovpn" ./lock ./state.json)
	[ "$(cd "$T/phone" && find . | sort)" = "$expected" ] && return 0
	echo "expected no other file than:" "$expected"
	find "$T/phone"
	return 1
}

publish even
ok "a phone with a bundle" boot
is "... and a first look" "$(whole even odd && echo "$found")" even

# How long a boot that installs takes here, in microseconds, at most.
longest=0
for name in odd even odd even; do
	publish $name
	start=${EPOCHREALTIME//[.,]/}
	boot >/dev/null 2>&1 || bail_out "a boot fails"
	took=$((${EPOCHREALTIME//[.,]/} - start))
	[ $took -le $longest ] || longest=$took
done

# The power goes, for refphone itself and by SIGKILL, so that no handler sweeps up: MICROSECONDS after the start, or as
# soon as there is a file in its folder whose name matches.
cut_after() {
	"${phone[@]}" >/dev/null 2>&1 &
	perl -e 'select(undef, undef, undef, $ARGV[0] / 1e6)' "$1"
	kill -KILL $! 2>/dev/null
	wait $! 2>/dev/null
}
cut_at() {
	"${phone[@]}" >/dev/null 2>&1 &
	perl -e '
		my ($pid, $dir, $name) = @ARGV;
		while (kill 0, $pid) {
			opendir my $d, $dir or next;
			next unless grep { /$name/ } readdir $d;
			kill "KILL", $pid;
			last;
		}' $! "$T/phone" "$1"
	wait $! 2>/dev/null
}
old=even
new=odd
kept=0
changed=0
half=0
# A power cut, what is left, and the boot after it.
survives() {
	publish $new
	"$@"
	[ -z "$(find "$T/phone" -name '*.new')" ] || half=$((half + 1))
	whole $old $new || return 1
	if [ "$found" = $old ]; then
		kept=$((kept + 1))
	else
		changed=$((changed + 1))
	fi
	boot && whole $new && tidy $new || return 1
	found=$old
	old=$new
	new=$found
}
at_random_moments() {
	local i
	# Spread over a boot and a little more, and not in the order of time.
	for ((i = 0; i < CUTS; i++)); do
		survives cut_after $(((i * 37 % CUTS) * longest * 11 / 10 / CUTS)) || return 1
	done
}
# Between the steps of an installation: the file half written, in place and not named, named in a state half written.
while_installing() {
	local i
	for ((i = 0; i < CUTS / 6; i++)); do
		survives cut_at '^bundle-.*\.new$' && survives cut_at "^bundle-${md5[$new]}\\.ovpn\$" &&
			survives cut_at '^state.*\.new$' || return 1
	done
}
ok "$CUTS power cuts: the old or the new bundle, whole, and the next boot installs the new one and tidies up" \
	at_random_moments
diag "the old one was left by $kept, the new one by $changed"
# Both happened, or the moments were badly chosen and nothing is proved.
ok "... some cuts left the old bundle" test $kept -gt 0
ok "... and some the new one" test $changed -gt 0
ok "$((CUTS / 2)) power cuts in the middle of an installation: the same" while_installing
diag "a half-written file was left by $half"
ok "... some cuts left a half-written file" test $half -gt 0
done_testing
