#!/bin/bash
# SPDX-License-Identifier: ISC
#
# make demo does what the README says, also without TUN devices, and leaves nothing behind, also after Ctrl-C.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/netns.sh"

# Only the demo's own leavings count: its folders are in here.
export TMPDIR=$T/tmp
mkdir "$TMPDIR"
clean() {
	[ -z "$(ls -A "$TMPDIR")" ] || ls -R "$TMPDIR"
	[ -z "$(ls -A "$TMPDIR")" ] && ! ip netns list | grep -q "^phonevpn-$1-" && ! pgrep -f "$TMPDIR" >/dev/null
}
missing=$(netns_missing) || missing=

"$SOURCE/tests/demo.sh" "$BUILD" >"$T/demo.out" 2>"$T/demo.err" &
pid=$!
wait $pid
is "the demo succeeds" $? 0 || diag <"$T/demo.err"
if [ -z "$missing" ]; then
	is "its last line is the README's" "$(tail -n 1 "$T/demo.out")" "$(grep '^proved: ' "$SOURCE/README.md")"
	is "four blue shields" "$(grep -c 'VPN: blue shield' "$T/demo.out")" 4
else
	like "it does not claim the tunnel" "$(tail -n 1 "$T/demo.out")" "not proved: the tunnel"
fi
is "four phones without a VPN say so" "$(sed -n '/^== What each/,$p' "$T/demo.out" | grep -c 'No VPN item')" 4
ok "nothing is left" clean $pid

if [ "$(id -u)" -eq 0 ] && unshare -m true 2>/dev/null; then
	# shellcheck disable=SC2016 # for the inner shell
	unshare -m sh -c 'mount -t tmpfs tmpfs /dev/net && exec "$0" "$1"' "$SOURCE/tests/demo.sh" "$BUILD" >"$T/no-tun.out" 2>&1 &
	pid=$!
	wait $pid
	is "without a TUN device: it succeeds" $? 0 || diag <"$T/no-tun.out"
	like "... says it in one line" "$(cat "$T/no-tun.out")" "^no tunnels here: no TUN device"
	like "... does all the rest" "$(tail -n 1 "$T/no-tun.out")" "^proved: 8 phones imported, 4 turned down for the VPN, 4 minted, served and fetched; not proved: the tunnel"
	ok "... nothing is left" clean $pid
else
	skip 4 "needs root and mount namespaces"
fi

# ---- Ctrl-C, in different places ----
for place in 'phonevpn init' 'phonevpn mint' 'One reference phone' 'A ping through' 'screen shows'; do
	[ -z "$missing" ] || [ "$place" != 'A ping through' ] || continue
	# A process group of its own, as a terminal gives one: Ctrl-C reaches all of it.
	setsid env --default-signal=INT "$SOURCE/tests/demo.sh" "$BUILD" >"$T/int.out" 2>&1 &
	pid=$!
	wait_until 60 grep -q "$place" "$T/int.out" >/dev/null
	kill -INT -$pid 2>/dev/null
	wait $pid
	is "Ctrl-C at '$place': ends with 130" $? 130
	ok "... nothing is left" wait_until 10 clean $pid
done
done_testing
