#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Enrolment: a phone from the factory gets a login of its own by its first fetch, once; nobody else gets it in its place.
. "$(dirname "$0")/lib.sh"

export PHONEVPN_DIR=$T/state
phone=000fd3006501
second=000fd3006001
third=000fd3006201
byhand=000fd3008001
unminted=000fd3004001
phonevpn --quiet init --vpn-host vpn.example.com --url http://127.0.0.1:1/p --ca-bits 2048 || bail_out init
phonevpn --quiet phone import "$SOURCE/doc/examples/fleet.csv" || bail_out import
phonevpn --quiet mint --all || bail_out mint

up() {
	local name=$1
	shift
	spawn "$name" phonevpn serve "$@"
	ok "serve $*" wait_until 10 printed "$name" 'listening on'
	url=$(sed -n 's/^listening on //p' "$T/$name.out")
}
# status OPTION... MAC: what curl gets for the phone's document from $url; the document is in $T/body
status() {
	rm -f "$T/body" # a challenge has none
	curl -s -o "$T/body" -D "$T/head" -w '%{http_code}' "${@:1:$#-1}" "$url/p/${*: -1}.cfg"
}
setting() {
	xmllint --xpath "string(/config/setting[@id='$1']/@value)" "$2"
}
state_of() {
	sqlite3 "$T/state/phonevpn.db" "$1"
}
recorded() {
	[ "$(state_of "SELECT count(*) FROM provisioned AS r JOIN phones AS p ON p.id = r.phone WHERE mac = '$1' AND login IS NOT NULL")" = 1 ]
}

up server --listen 127.0.0.1:0
listen=${url#http://}
phonevpn config set url "$url/p"

# ---- closed ----
ok "there is no window to be closed" fails_with 3 phonevpn enroll close
is "no window: 401" "$(status $phone)" 401
cp "$T/head" "$T/head.closed"
ok "a network has to be named" fails_with 2 phonevpn enroll open
ok "... one that is a network" fails_with 2 phonevpn enroll open --network 127.0.0.1
ok "... without bits of a host" fails_with 2 phonevpn enroll open --network 127.0.0.1/8
ok "... nor half a list" fails_with 2 phonevpn enroll open --network 127.0.0.1/32,
ok "a day at most" fails_with 2 phonevpn enroll open --network 127.0.0.1/32 --minutes 1441
ok "an unknown phone cannot be named" fails_with 3 phonevpn enroll open --network 127.0.0.1/32 000fd3999999
is "none of that opened one" "$(phonevpn --json enroll status | jq -c .window)" null

# ---- a phone that was set up by hand ----
byhand_url=$(phonevpn emit url $byhand)
is "a phone set up by hand logs in" "$(curl -s -o "$T/body" -w '%{http_code}' --digest "$byhand_url$byhand.cfg")" 200
ok "... which is on record soon" wait_until 10 recorded $byhand
is "... its document is without a config_server_url" "$(setting config_server_url "$T/body")" ""
login_by_bundle=$(xmllint --xpath "string(/config/setting[@id='openvpn_inline_config']/@url)" <(phonevpn emit xml $third))
is "another one fetches its bundle only" "$(curl -s -o /dev/null -w '%{http_code}' --digest "$login_by_bundle")" 200

# ---- the window ----
ok "enroll open" phonevpn enroll open --network 192.0.2.0/24,127.0.0.1/32 --minutes 5
like "... tells how many phones are open" "$(cat "$T/out")" '3 phones may fetch once'
like "... warns of plain HTTP" "$(cat "$T/err")" 'plain HTTP'
is "from outside of the networks: 401" "$(status --interface 127.0.0.2 $phone)" 401
is "... as without a window" "$(grep -v '^Date\|nonce' "$T/head")" "$(grep -v '^Date\|nonce' "$T/head.closed")"
is "... nor by an X-Forwarded-For, which is no proxy's" "$(status --interface 127.0.0.2 -H 'X-Forwarded-For: 127.0.0.1' $phone)" 401
is "HEAD enrolls nobody" "$(status -I $phone)" 401
# Not curl --digest: its first request is without Authorization, so it is one that enrolls.
is "a wrong login enrolls nobody" "$(status --basic -u $phone:wrong $phone)" 401
is "... nor does another Authorization" "$(status -H 'Authorization: Digest username="x"' $phone)" 400
is "an unknown phone: 401" "$(status 000fd3999999)" 401
is "a phone that is offered nothing: 401" "$(status $unminted)" 401
is "the phone set up by hand: 401" "$(status $byhand)" 401
is "the one that fetched its bundle: 401" "$(status $third)" 401
is "its bundle is not to be had without a login" "$(curl -s -o /dev/null -w '%{http_code}' "$url/p/ovpn/$(phonevpn emit md5 $phone)/$phone.ovpn")" 401

# ---- refphone, from the factory ----
boot() {
	refphone --state "$T/$1" --mac "$1" --model D65 --firmware 2_9_27 boot --no-connect "${@:2}"
}
ok "a phone boots from a URL without a login" boot $phone --config-url "$url/p/"
like "... and keeps another one" "$(cat "$T/out")" 'config_server_url.*with a login'
unlike "... which it does not show" "$(cat "$T/out" "$T/err")" "$phone:"
ok "it boots again, from what it keeps" boot $phone
is "its own login is what it came with" "$(jq -r .config_url "$T/$phone/state.json")" "$(phonevpn emit url $phone)"
ok "... which is on record" wait_until 10 recorded $phone
is "... and what it gets now tells it again" "$(curl -s --digest "$(phonevpn emit url $phone)$phone.cfg" | xmllint --xpath "string(/config/setting[@id='config_server_url']/@value)" -)" "$(phonevpn emit url $phone)"
is "nobody else gets it" "$(status $phone)" 401
like "who, when and from where is an event" "$(phonevpn events $phone)" 'phone\.enroll.*from 127\.0\.0\.1 .*phonevpn serve'
is "... and in the status" "$(phonevpn --json enroll status | jq -r '.enrolled[] | .mac + " " + .from + " " + (.login | type)')" "$phone 127.0.0.1 string"
like "... for people" "$(phonevpn enroll status)" "$phone +20[^ ]+Z +127.0.0.1 +20"
phonevpn emit xml $phone >"$T/emitted.xml"
is "emit xml has the login, too" "$(setting config_server_url "$T/emitted.xml")" "$(phonevpn emit url $phone)"
phonevpn --quiet export --out "$T/tree"
ok "... as export has" same_bytes "$T/emitted.xml" "$T/tree/$phone.cfg"
phonevpn --json check xml "$T/emitted.xml" >"$T/check.json"
is "check xml finds nothing that the bundle's URL has not" "$(jq -r '.. | .rule? // empty' "$T/check.json" | sort -u | grep -c 'config\|login')" 0

# ---- an admin's own document ----
echo '<config><setting id="time_zone" value="Europe/Berlin"/><setting id="config_server_url" value="https://old.example.com/" network_id="1"/><setting id="config_server_url" value="https://other.example.com/"/></config>' >"$T/own.xml"
phonevpn emit xml $phone --merge "$T/own.xml" >"$T/merged.xml"
is "the document of an enrolled phone names one server" "$(xmllint --xpath "count(/config/setting[@id='config_server_url'])" "$T/merged.xml")" 1
is "... in every network" "$(xmllint --xpath "count(/config/setting/@network_id)" "$T/merged.xml")" 0
is "... this one" "$(setting config_server_url "$T/merged.xml")" "$(phonevpn emit url $phone)"
is "... and else what it said" "$(setting time_zone "$T/merged.xml")" Europe/Berlin
phonevpn emit xml $byhand --merge "$T/own.xml" >"$T/merged.xml"
is "that of another one stays" "$(xmllint --xpath "count(/config/setting[@id='config_server_url'])" "$T/merged.xml")" 2

# ---- a second server on the same state, and all at once ----
up twin --listen 127.0.0.1:0
for i in $(seq 20); do
	[ $((i % 2)) = 0 ] && from=http://$listen || from=$url
	printf 'url = "%s/p/%s.cfg"\noutput = "%s/race.%s"\nwrite-out = "%%{http_code}\\n"\nnext\n' "$from" $second "$T" "$i"
done | sed '$d' >"$T/race.conf"
curl -s --parallel --parallel-immediate --parallel-max 20 -K "$T/race.conf" >"$T/race.codes" 2>/dev/null
is "of 20 at once, one enrolls" "$(grep -c '^200' "$T/race.codes")" 1
is "... and the others get nothing" "$(grep -cv '^\(200\|401\|503\)' "$T/race.codes")" 0
is "... and one event tells of it" "$(state_of "SELECT count(*) FROM events WHERE action = 'phone.enroll' AND subject = '$second'")" 1
won=$(grep -l config_server_url "$T"/race.[0-9]*)
is "... who got the login can use it" "$(curl -s -o /dev/null -w '%{http_code}' --digest "$(setting config_server_url "$won")$second.cfg")" 200
stop twin

# ---- killed, and reset ----
stop server KILL
url=http://$listen
up again --listen "$listen"
is "kill -9: who enrolled has enrolled" "$(status $second)" 401
ok "... and its login is taken" boot $phone
old=$(phonevpn emit url $second)
phonevpn --quiet enroll close || bail_out close
ok "phone reset" phonevpn phone reset $second
is "the former login is void" "$(curl -s -o /dev/null -w '%{http_code}' --digest "$old$second.cfg")" 401
phonevpn --quiet enroll open --network 127.0.0.1/32 || bail_out open
is "... it may enroll again" "$(phonevpn --json enroll status | jq .may_enroll)" 1
ok "reset takes all or none" fails_with 3 phonevpn phone reset $byhand 000fd3999999
is "... none it was" "$(phonevpn --json enroll status | jq .may_enroll)" 1

# ---- while another process writes ----
mkfifo "$T/hold"
# A writer that waits for its input in the middle, as a long mint holds the state.
spawn holder perl -e 'use Fcntl ":flock"; open(my $l, "+<", $ARGV[0]) or die; flock($l, LOCK_EX) or die; syswrite($l, "1\n2026-01-01T00:00:00Z\ntest\n"); print "held\n"; STDOUT->flush; open(my $f, "<", $ARGV[1]); <$f>; truncate($l, 0)' "$T/state/lock" "$T/hold"
ok "a writer holds the state" wait_until 10 printed holder held
is "while somebody writes: 503" "$(status $second)" 503
like "... to be asked again" "$(cat "$T/head")" '^Retry-After: [0-9]'
ok "... and other phones are served" boot $phone
echo >"$T/hold"
wait_until 10 ended holder
joined holder
is "afterwards: enrolled" "$(status $second)" 200
is "... with the new login" "$(setting config_server_url "$T/body")" "$(phonevpn emit url $second)"
is "... once" "$(status $second)" 401

# ---- for named phones, and closed ----
phonevpn --quiet phone reset $second $third $phone || bail_out reset
ok "a window for one phone" phonevpn --quiet enroll open --network 127.0.0.0/8 $third
is "... is not open to another" "$(status $second)" 401
is "... but to that one" "$(status $third)" 200
ok "enroll close" phonevpn enroll close
is "... closes for a running server" "$(status $phone)" 401
is "... and the status says so" "$(phonevpn enroll status | head -n 1)" closed
phonevpn --quiet enroll open --network 127.0.0.0/8 2>/dev/null
is "from another address of the network" "$(status --interface 127.0.0.9 $phone)" 200
like "... which the event has" "$(phonevpn events $phone)" 'phone\.enroll.*from 127\.0\.0\.9'
ok "the event log is whole" phonevpn events --verify

# ---- basic and none ----
phonevpn --quiet phone reset $second $third || bail_out reset
ok "the server lives until it is stopped" stop again
up basic --listen 127.0.0.1:0 --auth basic
is "with --auth basic as well" "$(status $second)" 200
is "... once" "$(status $second)" 401
stop basic
up none --listen 127.0.0.1:0 --auth none
like "--auth none says that enrolment counts for nothing" "$(cat "$T/none.err")" 'enroll open'
is "... and serves all" "$(status $third)" 200
is "... without enrolling" "$(state_of "SELECT count(*) FROM provisioned AS r JOIN phones AS p ON p.id = r.phone WHERE mac = '$third' AND enrolled IS NOT NULL")" 0
stop none

# ---- secrets ----
passwords=()
for mac in $phone $second $third $byhand; do
	password=$(phonevpn emit url "$mac")
	password=${password#*"$mac:"}
	passwords+=(-e "${password%@*}")
done
old=${old#*"$second:"}
grep -F "${passwords[@]}" -e "${old%@*}" "$T"/*.err "$T"/*.out >"$T/leaks"
is "no log has a password" "$(cat "$T/leaks")" ""
grep -F "${passwords[@]}" -e "${old%@*}" <<<"$(phonevpn events --limit 0)" >"$T/leaks"
is "... nor has the event log" "$(cat "$T/leaks")" ""
done_testing
