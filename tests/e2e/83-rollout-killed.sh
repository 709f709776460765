#!/bin/bash
# SPDX-License-Identifier: ISC
#
# serve, watch and the engine of rollouts killed at 200 random moments while one rollout after another runs over a fleet:
# what is on record did happen, as those know who live on (world.pl), no phone is left without a certificate that works,
# and each rollout ends. SEED=N repeats the moments, as far as a clock can.
. "$(dirname "$0")/lib.sh"

kills=${KILLS:-200}
seed=${SEED:-$RANDOM}
phones=12
soak=2
export PHONEVPN_DIR=$T/state
db=$PHONEVPN_DIR/phonevpn.db
diag "SEED=$seed"

phonevpn --quiet init --vpn-host vpn.example.com --url http://127.0.0.1:1 --ca-bits 2048 || bail_out init
for ((i = 1; i <= phones; i++)); do
	phonevpn --quiet phone add "$(printf '000fd30065%02x' $i)" --model D65 || bail_out "phone add"
done
phonevpn --quiet mint --all || bail_out mint
mkdir "$T/world"
spawn serve perl "$SOURCE/tests/e2e/keeper.pl" lent phonevpn --quiet serve --access-log "$T/access.log"
wait_until 10 printed serve '^http' || bail_out serve
phonevpn config set url "$(head -n 1 "$T/serve.out")" || bail_out url
kill -USR1 "$(pid_of serve)"
phonevpn emit fleet >"$T/fleet.csv" || bail_out fleet
spawn world perl "$SOURCE/tests/e2e/world.pl" "$T/world" "$T/fleet.csv" "$seed"
wait_until 10 printed world 'is up' || bail_out world
spawn watch perl "$SOURCE/tests/e2e/keeper.pl" service phonevpn watch --management "$T/world/socket" --soak $soak
spawn engine perl "$SOURCE/tests/e2e/keeper.pl" steps phonevpn --quiet rollout step

# ---- what is on record, held against what happened ----
# Each row stands for something wrong. The state is looked at first: what it claims has happened by then. time(2) is up to
# some milliseconds behind the clock that world.pl reads.
cat >"$T/look.sql" <<SQL
ATTACH ':memory:' AS m;
BEGIN;
CREATE TABLE m.rungs AS SELECT p.mac, l.number, l.rung, l.at, ltrim(lower(hex(g.serial)), '0') AS serial, lower(hex(g.md5)) AS md5, l.source
	FROM ladder AS l JOIN phones AS p ON p.id = l.phone JOIN generations AS g ON g.phone = l.phone AND g.number = l.number;
CREATE TABLE m.revoked AS SELECT ltrim(lower(hex(serial)), '0') AS serial FROM certificates WHERE revoked IS NOT NULL;
CREATE TABLE m.seen AS SELECT mac, since, iif(serial IS NULL, NULL, ltrim(lower(hex(serial)), '0')) AS serial FROM vpn_sessions JOIN phones AS p ON p.id = phone;
SELECT 'offered, and revoked', mac FROM phones AS p JOIN generations AS g ON g.phone = p.id AND g.number = p.offered
	JOIN certificates AS c ON c.serial = g.serial WHERE c.revoked IS NOT NULL;
SELECT 'nothing offered', mac FROM phones WHERE offered IS NULL;
SELECT 'serial twice', hex(serial) FROM certificates GROUP BY serial HAVING count(*) > 1;
SELECT 'gap in the generations', phone FROM generations GROUP BY phone HAVING max(number) <> count(*);
SELECT 'settled in the rollout, not on the ladder', r.name, p.mac FROM rollout_phones AS m JOIN rollouts AS r ON r.id = m.rollout JOIN phones AS p ON p.id = m.phone
	WHERE m.state = 3 AND NOT EXISTS (SELECT 1 FROM ladder AS l WHERE l.phone = m.phone AND l.number >= m.target AND l.rung = 4);
SELECT 'offered in the rollout, not by serve', r.name, p.mac FROM rollout_phones AS m JOIN rollouts AS r ON r.id = m.rollout JOIN phones AS p ON p.id = m.phone
	WHERE r.state IN (2, 3) AND m.state IN (2, 3) AND p.offered <> m.target;
SELECT 'failed', r.name, p.mac, m.why FROM rollout_phones AS m JOIN rollouts AS r ON r.id = m.rollout JOIN phones AS p ON p.id = m.phone WHERE m.state = 4;
SELECT 'never done', r.name, m.state FROM rollout_phones AS m JOIN rollouts AS r ON r.id = m.rollout WHERE r.state = 4 AND m.state <> 3;
COMMIT;
CREATE TABLE m.t (at REAL, what TEXT, mac TEXT, a TEXT, b TEXT, c TEXT);
.separator " "
.import '$T/world/truth' t --schema m
.separator |
CREATE INDEX m.t_what ON t (what, mac, a);
CREATE TABLE m.sessions AS SELECT mac, ltrim(a, '0') AS serial, CAST(b AS INTEGER) AS since,
	(SELECT min(e.at) FROM t AS e WHERE e.what = 'end' AND e.mac = s.mac AND e.at >= s.at) AS ended FROM t AS s WHERE what = 'begin';
SELECT 'wrong', mac, a, b FROM t WHERE what = 'wrong';
SELECT 'not asked for', mac, number, at FROM rungs AS r WHERE rung = 1 AND NOT EXISTS (SELECT 1 FROM t
	WHERE what = 'xml' AND t.mac = r.mac AND a = r.md5 AND CAST(t.at - 1 AS INTEGER) <= r.at);
SELECT 'not fetched', mac, number, at FROM rungs AS r WHERE rung = 2 AND NOT EXISTS (SELECT 1 FROM t
	WHERE what = 'bundle' AND t.mac = r.mac AND a = r.md5 AND CAST(t.at - 1 AS INTEGER) <= r.at);
SELECT 'not connected', mac, number, at FROM rungs AS r WHERE rung = 3 AND NOT EXISTS (SELECT 1 FROM sessions AS s
	WHERE s.mac = r.mac AND s.serial = r.serial AND s.since = r.at);
SELECT 'not settled', mac, number, at, source FROM rungs AS r WHERE rung = 4 AND NOT EXISTS (SELECT 1 FROM sessions AS s
	WHERE s.mac = r.mac AND s.serial = r.serial AND s.since + $soak <= r.at AND (s.ended IS NULL OR s.ended >= r.at));
SELECT 'no such session', mac, since, serial FROM seen AS r WHERE NOT EXISTS (SELECT 1 FROM sessions AS s
	WHERE s.mac = r.mac AND s.since = r.since AND (r.serial IS NULL OR s.serial = r.serial));
SELECT 'has what is revoked', mac, max(at), b FROM t WHERE what = 'installed' GROUP BY mac HAVING ltrim(b, '0') IN (SELECT serial FROM revoked);
SQL
cat >"$T/deep.sql" <<'SQL'
SELECT "foreign key", "table" FROM pragma_foreign_key_check;
SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> "ok";
SQL
wrong=0
# finds WHEN FILE
finds() {
	sqlite3 -cmd '.timeout 5000' "$db" <"$2" >"$T/found" 2>&1
	[ ! -s "$T/found" ] && return
	wrong=$((wrong + 1))
	cmp -s "$T/found" "$T/found.last" && return
	diag "$1:"
	head -n 5 "$T/found" | diag
	mv "$T/found" "$T/found.last"
}

# What a phone is offered can be fetched, by its login, and is what its XML says.
reaches() {
	local mac url
	mac=$(printf '000fd30065%02x' "$1")
	curl -s --digest -o "$T/xml" "$(sed -n "s/^$mac,D65,[^,]*,//p" "$T/fleet.csv" | tr -d '\r"')$mac.cfg" || return
	url=$(xmllint --xpath "string(/config/setting[@id='openvpn_inline_config']/@url)" "$T/xml") || return
	curl -s --digest -o "$T/bundle" "$url" || return
	[ "$(md5sum <"$T/bundle" | cut -d' ' -f1)" = "$(xmllint --xpath "string(/config/setting[@id='openvpn_inline_config']/@md5)" "$T/xml")" ]
}
unreached=0
try_phone() {
	wait_until 10 reaches "$1" >"$T/reach" && return
	diag "phone $1 does not get what it is offered"
	unreached=$((unreached + 1))
}

# ---- one rollout after another ----
# does COMMAND...: phonevpn, again while somebody else changes the state.
refused=0
does() {
	local status tries
	for ((tries = 0; tries < 20; tries++)); do
		phonevpn "$@" >"$T/does.out" 2>"$T/does.err"
		status=$?
		[ $status -eq 4 ] || break
		grep -q 'rollout' "$T/does.err" && ! grep -q 'lock\|in use\|state folder' "$T/does.err" && break
	done
	[ $status -eq 0 ] && return
	diag "status $status of: phonevpn $*"
	diag <"$T/does.err"
	refused=$((refused + 1))
}
# cut_short COMMAND...: killed as it runs, too.
cut_short() {
	phonevpn "$@" >"$T/cut.out" 2>&1 &
	perl -e 'select undef, undef, undef, rand 0.04'
	kill -KILL $! 2>/dev/null
	wait $! 2>/dev/null
}
state_of() {
	phonevpn --json rollout status "$1" | jq -r .state
}
number=0
ended=0
backed=0
paused=0
rollout=
begin() {
	local how=()
	number=$((number + 1))
	rollout=r$number
	[ $((number % 3)) -ne 0 ] || how=(--rekey)
	does rollout create $rollout --all "${how[@]}" --waves 4 --soak 1s --success 100 --errors 0 --deadline 1h
	does rollout start $rollout
}
retire() {
	cut_short retire --all
	does retire --all
}
# Every third one is taken back half way, and the next one begins at once.
rollout_on() {
	local status
	status=$(phonevpn --json rollout status "$rollout")
	case $(jq -r .state <<<"$status") in
	done)
		ended=$((ended + 1))
		retire
		does --quiet emit server --out "$T/server"
		begin
		;;
	paused)
		diag "$rollout is paused: $(jq -r .why <<<"$status")"
		paused=$((paused + 1))
		does rollout abort $rollout
		begin
		;;
	running)
		[ $((number % 3)) -eq 2 ] && [ "$(jq '.all.settled + .all.offered' <<<"$status")" -ge $((phones / 2)) ] || return
		cut_short rollout rollback $rollout
		[ "$(state_of $rollout)" = rolled-back ] || does rollout rollback $rollout
		backed=$((backed + 1))
		begin
		retire
		;;
	esac
}

everyone_connected() {
	[ "$(sqlite3 "$db" 'SELECT count(*) FROM ladder WHERE rung >= 3 AND number = 1' 2>&1)" -ge $phones ]
}
ok "$phones phones connect" wait_until 60 everyone_connected
begin

# ---- kills ----
perl -e 'srand shift; for (1 .. shift) { my $r = rand; printf "%.3f %s\n", 0.05 + rand 0.6,
	$r < 0.1 ? "serve watch engine" : $r < 0.4 ? "serve" : $r < 0.7 ? "watch" : "engine" }' "$seed" "$kills" >"$T/moments"
killed=0
started=$EPOCHSECONDS
while read -r delay victims <&7; do
	sleep "$delay"
	# shellcheck disable=SC2086 # several
	for victim in $victims; do
		kill -USR1 "$(pid_of "$victim")" || diag "no $victim"
	done
	killed=$((killed + 1))
	finds "after kill $killed ($victims)" "$T/look.sql"
	[ $((killed % 4)) -ne 0 ] || try_phone $((killed / 4 % phones + 1))
	[ $((killed % 10)) -ne 0 ] || finds "after kill $killed" "$T/deep.sql"
	[ $((killed % 20)) -ne 0 ] || does events --verify
	[ $((killed % 7)) -ne 0 ] || retire
	rollout_on
done 7<"$T/moments"
diag "$((EPOCHSECONDS - started)) s, programs killed: $(cat "$T"/{serve,watch,engine}.out | grep -c '^killed'); rollouts: $ended done, $backed rolled back, $rollout runs"
is "so many moments" "$killed" "$kills"
# On a slow machine they may not have come as far.
some_of_both() {
	rollout_on
	[ $ended -gt 0 ] && [ $backed -gt 0 ]
}
ok "one rollout at least has ended, and one was taken back half way" wait_until 200 some_of_both
is_done() {
	[ "$(state_of "$rollout")" = "done" ]
}
ok "the last rollout ends" wait_until 90 is_done
has_newest() {
	local i mac
	for ((i = 1; i <= phones; i++)); do
		mac=$(printf '000fd30065%02x' $i)
		[ "$(md5sum <"$T/world/$mac.ovpn" | cut -d' ' -f1)" = "$(phonevpn emit md5 "$mac")" ] || return 1
	done
}
ok "... with each phone on what it is offered" wait_until 30 has_newest
retire
ok "all that was superseded is revoked" wait_until 60 sh -c 'phonevpn --json retire --all | jq -e ".waiting == [] and .revoked == []"'
finds "at the end" "$T/look.sql"
finds "at the end" "$T/deep.sql"
for ((i = 1; i <= phones; i++)); do
	try_phone $i
done
is "what is on record has happened, and no phone has, or is offered, what is revoked" "$wrong" 0
is "each phone gets what it is offered" "$unreached" 0
is "no rollout has paused" "$paused" 0
is "no command failed" "$refused" 0
is "no program ended by itself" "$(grep -h '^ended' "$T"/{serve,watch,engine}.out)" ""
ok "the log is whole" phonevpn events --verify
done_testing
