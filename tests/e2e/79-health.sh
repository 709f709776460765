#!/bin/bash
# SPDX-License-Identifier: ISC
#
# health: an admin hears in time of what ends, and of nothing that does not.
. "$(dirname "$0")/lib.sh"

export PHONEVPN_DIR=$T/state
desk=000fd3006501
phonevpn --quiet init --vpn-host vpn.example.com --url http://pbx.example.com --org 'A|B' --ca-bits 2048 || bail_out init
phonevpn --quiet config set phone-days 100
phonevpn --quiet config set crl-days 200
phonevpn --quiet crl --renew --out "$T/crl.pem"
printf 'mac,model\n%s,D65\n000fd3006502,D60\n000fd3007001,D70\n' $desk >"$T/fleet.csv"
phonevpn --quiet phone import "$T/fleet.csv"
phonevpn --quiet mint --all || bail_out mint

# after DAYS STATUS [OPTION...]: what it says and its status so many days from now, which is to say with all of the state
# so many days older.
aged=0
after() {
	local seconds=$((($1 - aged) * 86400)) status=$2
	shift 2
	aged=$((aged + seconds / 86400))
	sqlite3 "$T/state/phonevpn.db" "UPDATE certificates SET not_after = not_after - $seconds, not_before = not_before - $seconds;
		UPDATE authorities SET crl_this_update = crl_this_update - $seconds, crl_next_update = crl_next_update - $seconds"
	fails_with "$status" phonevpn health "$@"
}
first() {
	head -n 1 "$T/out"
}

ok "a new fleet is well" after 0 0
like "... in one line" "$(first)" '^PHONEVPN OK - 2 phones are offered a bundle, 0 on the VPN \| phones=2 on_vpn=0 never_on_vpn=2 crl_days=(199|200);30:;7: '
is "... only" "$(wc -l <"$T/out")" 1
end=$(phonevpn emit bundle $desk | sed -n '/^<cert>$/,/^<.cert>$/p' | openssl x509 -noout -enddate | cut -d= -f2)
# Within the second of its making, they are a whole number.
days=$((($(date -d "$end" +%s) - $(date +%s)) / 86400))
like "the days are those of the certificate" "$(first)" " phone_days=($days|$((days + 1)));"
ok "69 days on: nothing yet" after 69 0
ok "71 days on: a warning" after 71 1
like "... of the phones" "$(first)" '^PHONEVPN WARNING - the certificates of 2 phones end within 30 days; .phonevpn mint. renews \|'
ok "... unless it is not asked for so early" after 71 0 --warn 10
ok "94 days on: critical" after 94 2
like "... of the phones" "$(first)" '^PHONEVPN CRITICAL - the certificates of 2 phones end within 7 days'
ok "101 days on: they have ended" after 101 2
like "... which is said" "$(first)" 'CRITICAL - the certificates of 2 phones have ended'
phonevpn --quiet config set phone-days 3000
after 0 0 >/dev/null
phonevpn --quiet mint --all --renew
ok "renewed, all is well" after 101 0
ok "a CRL that nobody renews: a warning at two fifths of its life" after 121 1
like "... with what it does" "$(first)" 'WARNING - the CRL of A/B CA [0-9a-f]+ ends in (78|79) days, at .*: the OpenVPN server lets nobody in after that'
ok "... critical at a tenth" after 181 2
ok "... and when it has ended" after 201 2
like "... which is said" "$(first)" 'CRITICAL - the CRL of .* ended at '
ok "the worst comes first, the rest behind it" after 2990 2
is "... a line each" "$(wc -l <"$T/out")" 2
like "... without limits in between" "$(sed -n 2p "$T/out")" '^the certificates of 2 phones end within 30 days'

ok "phones that nobody saw on the VPN: a warning, when asked" after 0 1 --unseen 3
like "... how many" "$(first)" '2 phones were not on the VPN for 3 days'
ok "a phone that was seen" sqlite3 "$T/state/phonevpn.db" "INSERT INTO vpn_sessions (phone, server, client, since, address, attachment, unsettled)
	SELECT id, '/run/one', 0, 1000, '192.0.2.1:5', 1, 0 FROM phones WHERE mac = '$desk'"
ok "... and is there" after 0 1 --unseen 3
like "... does not count" "$(first)" '1 phone was not on the VPN for 3 days.* phones=2 on_vpn=1 never_on_vpn=1 '

is "for programs the same" "$(phonevpn --json health --unseen 3 | jq -c '[.level, (.findings | length), .findings[0].what, .phones.offered, (.ends | map(.what))]')" \
	'["warning",1,"unseen",2,["CA certificate","CRL","server certificate"]]'
week=$(date -u -d "$(date -u -d "$(phonevpn --json phone show $desk | jq -r '.generations[-1].not_after')" +%F) -$(($(date -u -d "$(phonevpn --json phone show $desk | jq -r '.generations[-1].not_after')" +%u) - 1)) days" +%F)
is "... and in which weeks phones' certificates end" "$(phonevpn --json health | jq -c '.phones_end_in_week_of')" "[{\"monday\":\"$week\",\"phones\":2}]"

# ---- rollouts ----
db=$T/state/phonevpn.db
# later SECONDS: all that rollouts do was so much earlier.
later() {
	sqlite3 "$db" "DROP TRIGGER IF EXISTS events_no_update; UPDATE events SET at = at - $1;
		UPDATE rollout_phones SET since = since - $1; UPDATE ladder SET at = at - $1;
		UPDATE rollouts SET created = created - $1, good_since = good_since - $1, minute = minute - $1 / 60"
}
# found: what health says of this kind
found() {
	phonevpn --json health | jq -r --arg what "$1" '.findings[] | select(.what == $what) | .text'
}
rollouts() {
	phonevpn --json health | jq -c '[.rollouts[] | [.name, .state, .stands]]'
}
phonevpn --quiet rollout create spring --all --waves 1 --soak 0 --success 0 --deadline 2h || bail_out "rollout create"
ok "a rollout that was not started is nobody's trouble" after 0 0
phonevpn --quiet rollout start spring
later 300
ok "one that was started a while ago, and not moved on yet" after 0 0
later 400
ok "... for more than ten minutes: a warning" after 0 1
like "... that nothing moves it on" "$(first)" "WARNING - the rollout spring is not moved on since .*; .phonevpn serve. does that, or .phonevpn rollout step. .*rollouts_running=1 rollouts_paused=0 rollouts_stalled=1"
phonevpn --quiet rollout step
is "moved on, it is well" "$(phonevpn health | cut -d' ' -f2),$(rollouts)" 'OK,[["spring","running","moves"]]'
# As a kill between minting and offering leaves it.
sqlite3 "$db" "UPDATE phones SET offered = offered - 1; UPDATE rollout_phones SET state = 1, former = NULL"
is "phones that are minted, and wait for their turn" "$(found offers)" ""
is "... are as they were to be" "$(phonevpn --json health | jq -c '[.level, .phones.minted]')" '["ok",2]'
sqlite3 "$db" "UPDATE rollout_phones SET state = 5"
is "... but not when they were taken out of it" "$(found offers)" "2 phones are minted and not offered the newest; 'phonevpn mint' goes on"
sqlite3 "$db" "UPDATE rollout_phones SET state = 1"
phonevpn --quiet rollout step
later 7300
ok "phones at their deadline, and nobody looked yet" after 0 0
later 700
ok "phones past their deadline, and nobody looks: a warning" after 0 1
is "... that nothing moves it on" "$(rollouts)" '[["spring","running","unmoved"]]'
phonevpn --quiet rollout step 2>"$T/told"
ok "somebody looked, and it paused" after 0 1
like "... which is said, with the reason" "$(first)" 'WARNING - the rollout spring is paused: wave 1: 1 of 1 phones failed, more than errors=5% \|.*rollouts_running=0 rollouts_paused=1 rollouts_stalled=0'
phonevpn --quiet rollout retry spring
phonevpn --quiet rollout pause spring
phonevpn --quiet rollout resume spring --deadline 0
phonevpn --quiet rollout step 2>"$T/told"
ok "without a deadline it waits" after 0 0
later 300000
ok "... and for days: a warning" after 0 1
like "... that it stands still, and for what" "$(first)" 'the rollout spring stands still since .*, waiting for 2 more to settle'
# watch has seen them stay, and the engine has not.
sqlite3 "$db" "INSERT INTO ladder (phone, number, rung, at, source) SELECT phone, target, 4, strftime('%s') - 700, 'test' FROM rollout_phones"
is "phones that have settled, and nobody counts them" "$(rollouts)" '[["spring","running","unmoved"]]'
phonevpn --quiet rollout rollback spring
ok "rolled back, nobody is told to mint" after 0 0
is "... although a newer one is there" "$(phonevpn --json health | jq -c '[.phones.minted, .rollouts]')" '[2,[]]'

ok "no state: unknown" fails_with 3 phonevpn --dir "$T/none" health
like "... which the pager reads" "$(first)" "^PHONEVPN UNKNOWN - $T/none: no phonevpn state here"
ok "limits in the wrong order: unknown" fails_with 3 phonevpn health --warn 3
ok "a state that is damaged: unknown" sh -c "printf damaged | dd of='$T/state/phonevpn.db' conv=notrunc status=none; phonevpn health; [ \$? = 3 ]"
done_testing
