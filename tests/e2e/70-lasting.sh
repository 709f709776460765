#!/bin/bash
# SPDX-License-Identifier: ISC
#
# What must last does: killed at any moment, a full disk, two processes at once, a wrong key, a newer schema.
. "$(dirname "$0")/lib.sh"

export PHONEVPN_DIR=$T/state
db=$PHONEVPN_DIR/phonevpn.db
phonevpn --quiet init --vpn-host vpn.example.com --url http://pbx.example.com --ca-bits 2048 || bail_out "init"
{
	echo mac,model
	for i in $(seq 0 39); do printf '000fd31000%02x,D65\n' "$i"; done
} >"$T/fleet.csv"
phonevpn --quiet phone import "$T/fleet.csv" || bail_out "import"

whole() {
	[ "$(sqlite3 "$db" 'PRAGMA integrity_check; PRAGMA foreign_key_check')" = ok ] &&
		phonevpn events --verify &&
		[ "$(sqlite3 "$db" 'SELECT count(*) FROM (SELECT serial FROM certificates GROUP BY serial HAVING count(*) > 1)')" = 0 ]
}
# Every phone that has an offered generation renders to its md5.
offers_hold() {
	local mac md5
	while read -r mac md5; do
		[ "$(phonevpn emit bundle "$mac" | md5sum | cut -d' ' -f1)" = "$md5" ] || return 1
	done < <(phonevpn --json phone list | jq -r '.[] | select(.md5) | .mac + " " + .md5')
}

# ---- kill -9 in the middle of a mint ----
for round in 1 2 3 4 5; do
	phonevpn --quiet mint --all --keygen library >/dev/null 2>&1 &
	victim=$!
	wait_until 20 test "$(phonevpn --json phone list | jq '[.[] | select(.md5)] | length')" -ge "$((round * 2))" >/dev/null
	kill -KILL $victim 2>/dev/null
	wait $victim 2>/dev/null
	ok "kill $round: the database is whole" whole
	ok "kill $round: every offer has its bytes" offers_hold
done
phonevpn --json phone list | jq -r '.[] | select(.md5) | .mac + " " + .md5' | sort >"$T/before"
ok "the next run finishes the fleet" phonevpn mint --all
is "... all of it" "$(phonevpn --json phone list | jq '[.[] | select(.vpn == "offered")] | length')" 40
is "... with one generation each" "$(phonevpn --json phone list | jq '[.[].newest_generation] | unique | length')" 1
phonevpn --json phone list | jq -r '.[] | .mac + " " + .md5' | sort >"$T/after"
ok "... and those done before keep their md5" test -z "$(comm -23 "$T/before" "$T/after")"
ok "... whole" whole

# ---- an interrupt ends it in order ----
env --default-signal=INT phonevpn mint --all --rekey --keygen library >"$T/int.out" 2>"$T/int.err" &
victim=$!
rekeyed() {
	[ "$(phonevpn --json phone list | jq '[.[] | select(.generation > 1)] | length')" -gt 0 ]
}
wait_until 30 rekeyed
kill -INT $victim
wait $victim
is "Ctrl-C: status 1" $? 1
like "... and it says how far it came" "$(cat "$T/int.err")" "interrupted: [0-9]+ of 40 phones are done"
ok "... whole" whole
ok "... offers hold" offers_hold

# ---- two at once ----
spawn first phonevpn mint --all --rekey --keygen library
ok "the first one has the lock" wait_until 10 grep -qw "$(pid_of first)" "$PHONEVPN_DIR/lock"
ok "the second is told: conflict" fails_with 4 phonevpn phone set 000fd3100000 --label x
like "... who holds it" "$(cat "$T/err")" "$(pid_of first).*phonevpn mint"
ok "reading goes on" phonevpn phone list
ok "... and the CRL can be had" phonevpn crl
stop first INT
ok "afterwards it works" phonevpn phone set 000fd3100000 --label x

# ---- a full disk ----
# full: in a mount namespace of its own, with a state on a file system that is nearly full
full() {
	# shellcheck disable=SC2016 # for the inner shell
	unshare -m bash -c '
		set -e
		mount -t tmpfs -o size=1536k,mode=700 tmpfs "$1"
		cp "$PHONEVPN_DIR"/phonevpn.db "$PHONEVPN_DIR"/master.key "$1"
		export PHONEVPN_DIR=$1
		before=$(phonevpn --json phone list | md5sum)
		head -c 10M /dev/zero >"$1/ballast" 2>/dev/null || true
		rc=0
		phonevpn mint --all --renew >"$2" 2>&1 || rc=$?
		rm "$1/ballast"
		echo "$rc"
		phonevpn events --verify >/dev/null
		sqlite3 "$1/phonevpn.db" "PRAGMA integrity_check"
		phonevpn --quiet mint --all >/dev/null && echo mints-again
	' full "$T/full" "$T/full.out"
}
mkdir "$T/full"
sqlite3 "$db" 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
if [ "$(id -u)" -eq 0 ] && unshare -m true 2>/dev/null; then
	is "a full disk: a failure, a whole database, and it goes on when there is room" "$(full | tr '\n' ' ')" "1 ok mints-again "
	like "... in words" "$(cat "$T/full.out")" "disk.*full|full.*disk"
else
	skip 2 "needs root for a small file system"
fi

# ---- what does not fit ----
head -c 32 /dev/urandom >"$T/wrong.key"
chmod 600 "$T/wrong.key"
ok "a wrong master key: integrity" fails_with 5 phonevpn --master-key "$T/wrong.key" phone list
like "... by name" "$(cat "$T/err")" "$T/wrong.key"
ok "a master key that is not there: not found" fails_with 3 phonevpn --master-key "$T/none.key" phone list
cp -a "$PHONEVPN_DIR" "$T/newer"
sqlite3 "$T/newer/phonevpn.db" 'PRAGMA user_version = 4711'
ok "a newer schema: conflict" fails_with 4 phonevpn --dir "$T/newer" phone list
like "... with both versions" "$(cat "$T/err")" 4711
mkdir "$T/junk" && chmod 700 "$T/junk"
echo "this is no database, but it is long enough to look at" >"$T/junk/phonevpn.db"
cp "$PHONEVPN_DIR/master.key" "$T/junk/"
ok "no database: integrity" fails_with 5 phonevpn --dir "$T/junk" phone list
if [ "$(id -u)" -eq 0 ]; then
	ok "an unreadable folder: a clear error" fails_with 1 setpriv --reuid 65534 --regid 65534 --clear-groups "$(command -v phonevpn)" --dir "$PHONEVPN_DIR" phone list
	like "... which is one line" "$(cat "$T/err")" "$PHONEVPN_DIR.*[Pp]ermission denied"
else
	skip 2 "needs root"
fi

# ---- somebody edits the database ----
cp -a "$PHONEVPN_DIR" "$T/edited"
sqlite3 "$T/edited/phonevpn.db" "DROP TRIGGER IF EXISTS events_no_update; DROP TRIGGER IF EXISTS events_no_delete" 2>/dev/null
for trigger in $(sqlite3 "$T/edited/phonevpn.db" "SELECT name FROM sqlite_master WHERE type = 'trigger'"); do
	sqlite3 "$T/edited/phonevpn.db" "DROP TRIGGER $trigger"
done
sqlite3 "$T/edited/phonevpn.db" "UPDATE events SET actor = 'nobody' WHERE id = 2"
ok "a changed event is found: integrity" fails_with 5 phonevpn --dir "$T/edited" events --verify
cp -a "$PHONEVPN_DIR" "$T/swapped"
sqlite3 "$T/swapped/phonevpn.db" "PRAGMA foreign_keys = off;
	UPDATE generations SET (serial, md5, size) = (SELECT serial, md5, size FROM generations WHERE phone = 2 ORDER BY number DESC LIMIT 1) WHERE phone = 1"
ok "one phone's generation under another's name: integrity" fails_with 5 phonevpn --dir "$T/swapped" emit bundle 000fd3100000
ok "no key stands in the open" fails_with 1 grep -qa 'PRIVATE KEY' "$db"
done_testing
