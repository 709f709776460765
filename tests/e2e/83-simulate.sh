#!/bin/bash
# SPDX-License-Identifier: ISC
#
# rollout simulate: what an admin is told of a campaign beforehand can be repeated, holds by the hand's reckoning where
# nothing is left to chance, and changes nothing.
. "$(dirname "$0")/lib.sh"

export TZ=Europe/Berlin
simulate() {
	phonevpn rollout simulate "$@"
}
exact=(--notify --off 0 --restarts-in 0 --connects-in 0 --settles-in 300)

ok "without a state: 200 phones" simulate --phones 200 --seed 7
cp "$T/out" "$T/first"
simulate --phones 200 --seed 7 >"$T/second"
ok "... again is the same, byte for byte" same_bytes "$T/first" "$T/second"
simulate --phones 200 --seed 8 >"$T/other"
ok "... and another seed is another course" sh -c "! cmp -s '$T/first' '$T/other'"

# By hand: a phone settles 301 seconds after its offer, which is seen at the sixth minute; an hour between waves; the last 175
# phones take two minutes. 6, 60, 6, 60, 1 and 6.
ok "phones without chance" simulate --phones 200 "${exact[@]}"
like "... take 139 minutes" "$(cat "$T/out")" '^done after 2h 19m, from .*T08:00 CET on: settled 200, failed 0, left over 0$'
is "... the same as JSON" "$(simulate --json --phones 200 "${exact[@]}" | jq -c '[.end, .seconds, [.waves[].began], .load.offers.most_a_minute, .all.settled, .why]')" \
	'["done",8340,[0,3960,7920],100,200,null]'
# Quiet from 08:00 to 18:00: the first wave begins at 18:00. From 17:00 on that is an hour later, from 18:00 on at once.
for start in 08:00:36000 17:00:3600 18:00:0; do
	quiet=${start##*:}
	is "quiet hours, from ${start%:*} on" "$(simulate --json --phones 200 "${exact[@]}" --quiet-hours 08:00-18:00 --start "2026-07-01T${start%:*}" | jq -c '[.start, .waves[0].all_offered]')" \
		"[\"$(date -u -d "2026-07-01 ${start%:*} CEST" +%FT%TZ)\",$quiet]"
done
ok "all discard what they fetch" simulate --json --phones 1000 --discards 100% --off 0
is "... which pauses it in the first wave, when the deadline is over" "$(jq -c '[.end, .wave, .seconds, .failed, .all.waiting]' "$T/out")" \
	'["paused",1,259200,{"not-connected":5},995]'
like "... and says why" "$(jq -r .why "$T/out")" '^wave 1: 5 of 5 phones failed, more than errors=5%$'
ok "many runs" simulate --json --phones 300 --runs 40 --discards 2 --falls-back 0.5%
is "... add up" "$(jq '.runs == ([.ends[]] | add) and .ends.paused == ([.paused_in_wave[]] | add)' "$T/out")" true
is "... and their shares are in order" "$(jq '[.seconds[]] == ([.seconds[]] | sort) and (.seconds | length) == 6' "$T/out")" true
simulate --json --phones 300 --discards 2 --falls-back 0.5% --seed 40 >"$T/last"
is "... each is the run of its seed" "$(simulate --json --phones 300 --runs 1 --discards 2 --falls-back 0.5% --seed 40 | jq -c .seconds)" "$(jq -c .seconds "$T/last")"
is "a percentage has parts" "$(simulate --json --phones 5 --falls-back 0.5% --flaps 12.0001 | jq -c '[.model.falls_back, .model.flaps]')" '[0.5,12.0001]'

# measured COMMAND...: its peak in KiB and its seconds of CPU, in $T/cost
measured() {
	/usr/bin/time -o "$T/cost" -f '%M %U' "$@"
}
if [ -x /usr/bin/time ]; then
	ok "100,000 phones" measured phonevpn --json rollout simulate --phones 100000 --discards 1 --falls-back 0.5%
	diag "KiB and seconds: $(cat "$T/cost")"
	case $BUILD in
	*-asan*) skip 1 "memory under a sanitizer" ;;
	*) ok "... in less than 100 MiB" test "$(cut -d' ' -f1 "$T/cost")" -lt 102400 ;;
	esac
else
	skip 2 "no time (package time)"
fi

# ---- a rollout that there is ----
export PHONEVPN_DIR=$T/state
phonevpn --quiet init --vpn-host vpn.example.com --url http://pbx.example.com --ca-bits 2048 || bail_out init
{
	echo mac,model
	for i in {10..49}; do echo "000fd30065$i,D65"; done
} >"$T/fleet.csv"
phonevpn --quiet phone import "$T/fleet.csv"
phonevpn --quiet mint --all || bail_out mint
phonevpn --quiet rollout create spring --all --waves 4,50% || bail_out create
sqlite3 "$T/state/phonevpn.db" .dump >"$T/before"
is "a draft" "$(simulate spring --json "${exact[@]}" | jq -c '[.name, .phones, .end, [.waves[].phones.settled], .seconds]')" '["spring",40,"done",[4,20,16],8280]'
sqlite3 "$T/state/phonevpn.db" .dump >"$T/after"
ok "... is as it was" same_bytes "$T/before" "$T/after"
is "... with another limit" "$(simulate spring --json "${exact[@]}" --soak 0 | jq -c '[.seconds, .plan.soak]')" '[1080,0]'
phonevpn --quiet rollout start spring
phonevpn --quiet rollout step
phones=$(phonevpn --json rollout status spring | jq .all.offered)
is "one that runs goes on from where it stands" "$(simulate spring --json "${exact[@]}" | jq -c '[.load.offers.total, .all.settled]')" "[$((40 - phones)),40]"
ok "... from now on only: usage" fails_with 2 simulate spring --start 09:00
phonevpn --quiet rollout abort spring
ok "one that is over: conflict" fails_with 4 simulate spring
ok "one that there is not: not found" fails_with 3 simulate autumn

ok "neither a name nor --phones: usage" fails_with 2 simulate
ok "both: usage" fails_with 2 simulate spring --phones 5
ok "waves of a rollout that there is: usage" fails_with 2 simulate spring --waves 5
for bad in 101 -1 1.00001 '' . 5. .5 '1%%' x 100.1; do
	ok "a share of \"$bad\": usage" fails_with 2 simulate --phones 5 --off "$bad"
done
ok "faults of more phones than there are: usage" fails_with 2 simulate --phones 5 --flaps 60 --discards 60
for bad in 25:00 noon 2026-13-01T08:00 '08:00 '; do
	ok "a start at \"$bad\": usage" fails_with 2 simulate --phones 5 --start "$bad"
done
ok "a phone that asks all the time: usage" fails_with 2 simulate --phones 5 --asks-every 1s
done_testing
