#!/bin/bash
# SPDX-License-Identifier: ISC
#
# A power cut at any moment of a boot leaves the phone with the old or the new bundle, whole, and the next boot comes up.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/webservers.sh"

CUTS=60
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
boot() {
	refphone --state "$T/phone" --mac $mac --model D65 --firmware 2_7_0 --quiet boot --config-url "$base"
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

# cut MICROSECONDS: the power goes so long after the start. Nothing is swept up by a handler: SIGKILL.
cut() {
	boot >/dev/null 2>&1 &
	perl -e 'select(undef, undef, undef, $ARGV[0] / 1e6)' "$1"
	kill -KILL $! 2>/dev/null
	wait $! 2>/dev/null
}
old=even
new=odd
kept=0 changed=0 bad=0
survives() {
	local i
	for ((i = 0; i < CUTS; i++)); do
		publish $new
		# Spread over a boot and a little more, and not in the order of time.
		cut $(((i * 37 % CUTS) * longest * 11 / 10 / CUTS))
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
	done
}
