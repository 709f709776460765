#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Which phones have read of a generation, and have fetched it: what arrived whole is on record, once, and nothing else is.
. "$(dirname "$0")/lib.sh"

export PHONEVPN_DIR=$T/state
desk=000fd3006501
hall=000fd3006001
home=000fd3006201
shop=000fd3006502
new=000fd3006503
phonevpn --quiet init --vpn-host vpn.example.com --url http://127.0.0.1:1 --ca-bits 2048 || bail_out init
phonevpn --quiet phone import "$SOURCE/doc/examples/fleet.csv" || bail_out import
phonevpn --quiet phone add $shop --model D65
phonevpn --quiet phone add $new --model D65
phonevpn --quiet mint $desk $hall $home $shop $new || bail_out mint

# up NAME OPTION...
up() {
	spawn "$1" phonevpn serve --listen 127.0.0.1:0 "${@:2}"
	ok "serve ${*:2}" wait_until 10 printed "$1" 'listening on'
	phonevpn config set url "$(sed -n 's/^listening on //p' "$T/$1.out")"
}
xml_of() {
	echo "$(phonevpn emit url "$1")$1.cfg"
}
bundle_of() {
	xmllint --xpath "string(/config/setting[@id='openvpn_inline_config']/@url)" <(phonevpn emit xml "$1")
}
fetch() {
	curl -sk -o "$T/body" -w '%{http_code}' --anyauth "$@"
}
state() {
	sqlite3 "$T/state/phonevpn.db" "$1"
}
# proof MAC: what SQLite's own program finds
proof() {
	state "SELECT group_concat(number || '.' || rung, ' ') FROM
		(SELECT number, rung FROM ladder AS l JOIN phones AS p ON p.id = l.phone WHERE mac = '$1' ORDER BY number, rung)"
}
proof_is() {
	[ "$(proof "$1")" = "$2" ]
}
# nothing_comes: all that was told until now is on record, as what was told after it is
mark=0
nothing_comes() {
	phonevpn --quiet mint --renew $shop
	mark=$((mark + 1))
	fetch "$(xml_of $shop)" >"$T/code"
	wait_until 20 sh -c "sqlite3 '$T/state/phonevpn.db' \"SELECT 1 FROM ladder AS l JOIN phones AS p ON p.id = l.phone \
		WHERE mac = '$shop' AND rung = 1 AND number = (SELECT max(number) FROM generations WHERE phone = p.id)\" | grep -q 1"
}

up server --trusted-proxy 127.0.0.1
# ---- what counts ----
is "nothing is on record" "$(state 'SELECT count(*) FROM ladder')" 0
is "a phone reads its XML" "$(fetch "$(xml_of $desk)")" 200
ok "... which is on record soon" wait_until 10 proof_is $desk 1.1
is "... and fetches its bundle" "$(fetch "$(bundle_of $desk)")" 200
ok "... which is, too" wait_until 10 proof_is $desk "1.1 1.2"
is "... from where, and who saw it" "$(state "SELECT DISTINCT source FROM ladder")" "from 127.0.0.1 by serve"
is "... as events" "$(phonevpn --json events $desk | jq -r ".[] | select(.action | test(\"offered|fetched\")) | .action + \" \" + .detail" | xargs)" \
	"phone.offered generation 1, from 127.0.0.1 by serve phone.fetched generation 1, from 127.0.0.1 by serve"
is "... by the server" "$(state "SELECT DISTINCT actor FROM events WHERE action = 'phone.fetched'" | grep -c 'phonevpn serve$')" 1
is "phone show has them" "$(phonevpn --json phone show $desk | jq -r '[.proof[].rung] | join(" ")')" "offered fetched"

# ---- what does not ----
is "a HEAD of the XML" "$(fetch -I "$(xml_of $hall)")" 200
is "a HEAD of the bundle" "$(fetch -I "$(bundle_of $hall)")" 200
is "a bundle that it says it has" "$(fetch -H "If-None-Match: \"$(phonevpn emit md5 $hall)\"" "$(bundle_of $hall)")" 304
is "no login" "$(curl -s -o "$T/body" -w '%{http_code}' "$(xml_of $hall | sed 's,//.*@,//,')")" 401
is "a wrong password" "$(fetch "$(bundle_of $hall | sed 's,:[^:@]*@,:wrong@,')")" 401
is "another phone's login" "$(fetch "$(bundle_of $hall | sed "s,//.*@,//$(bundle_of $home | sed 's,.*//\(.*\)@.*,\1,')@,")")" 404
is "a bundle that there is not" "$(fetch "$(bundle_of $hall | sed 's,/ovpn/.,/ovpn/x,')")" 404
ok "after all that" nothing_comes
is "... nothing is on record" "$(proof $hall)$(proof $home)" ""

cat >"$T/part.pl" <<'PERL'
# part.pl URL BYTES: ask with Basic, read so many bytes of the answer, and hang up
use strict;
use warnings;
use IO::Socket::INET;
use MIME::Base64;
my ($login, $host, $path) = $ARGV[0] =~ m,^http://(.*)@([^/]*)(/.*), or die;
my $s = IO::Socket::INET->new(PeerAddr => $host) or die;
print {$s} "GET $path HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ", encode_base64($login, ""), "\r\n\r\n";
$s->flush;
sysread($s, my $answer, $ARGV[1]) == $ARGV[1] or die;
print substr($answer, 9, 3);
close $s;
PERL
mkdir "$T/base"
perl -e 'print "<config>", "<!-- a comment, and another --> " x 10000, "</config>\n"' >"$T/base/$hall.cfg"
up basic --auth basic --base-dir "$T/base"
is "a phone that hangs up in the middle of its bundle" "$(perl "$T/part.pl" "$(bundle_of $hall)" 1000)" 200
is "... and of its XML" "$(perl "$T/part.pl" "$(xml_of $hall)" 1000)" 200
ok "... one for which it is too long" fails_with 63 curl -s -o "$T/body" --max-filesize 100 "$(xml_of $hall)"
mkfifo "$T/fifo"
exec 7<>"$T/fifo"
spawn slow curl -s -o "$T/fifo" "$(xml_of $hall)"
ok "... one that is switched off" timeout 20 head -c 10000 <&7
stop slow KILL
exec 7<&-
ok "after all that" nothing_comes
is "... nothing is on record" "$(proof $hall)" ""
is "the long XML, whole" "$(curl -s -o "$T/body" -w '%{http_code}' "$(xml_of $hall)")" 200
ok "... is" wait_until 10 proof_is $hall 1.1
stop basic

# ---- older generations ----
phonevpn config set url "$(sed -n 's/^listening on //p' "$T/server.out")"
older=$(bundle_of $desk)
ok "another generation" phonevpn --quiet mint --renew $desk
is "the older one's URL, once more" "$(fetch "$older")" 200
older=$(bundle_of $home)
ok "another's, too" phonevpn --quiet mint --renew $home
is "... which had not fetched the older one" "$(fetch -H 'X-Forwarded-For: 192.0.2.7' "$older")" 200
ok "... it counts for that one" wait_until 10 proof_is $home 1.2
is "... from the phone's address behind a proxy" "$(state "SELECT source FROM ladder AS l JOIN phones AS p ON p.id = l.phone WHERE mac = '$home'")" \
	"from 192.0.2.7 by serve"
is "... and the other phone's stands as it was" "$(proof $desk)" "1.1 1.2"
is "the newer XML" "$(fetch "$(xml_of $desk)")" 200
ok "... counts for the newer one" wait_until 10 proof_is $desk "1.1 1.2 2.1"

# ---- again and again ----
is "the newer bundle" "$(fetch "$(bundle_of $desk)")" 200
ok "... is on record" wait_until 10 proof_is $desk "1.1 1.2 2.1 2.2"
ok "so is all else" nothing_comes
cksum "$T/state/phonevpn.db" "$T/state/phonevpn.db-wal" >"$T/before"
for _ in 1 2 3; do
	fetch "$(xml_of $desk)" >"$T/code"
	fetch "$(bundle_of $desk)" >"$T/code"
	fetch "$(bundle_of $home | sed "s,/ovpn/[^/]*,/ovpn/$(basename "$(dirname "$older")"),")" >>"$T/code"
done
is "who reads the same again" "$(cat "$T/code")" 200200
sleep 3
cksum "$T/state/phonevpn.db" "$T/state/phonevpn.db-wal" >"$T/after"
ok "... has nothing written" same_bytes "$T/before" "$T/after"
ok "serve ends" stop server
up again
is "a server that was started again knows it" "$(fetch "$(xml_of $desk)") $(proof $desk)" "200 1.1 1.2 2.1 2.2"

# ---- while another program writes ----
spawn writer phonevpn --quiet keypool fill 500
ok "somebody else writes" wait_until 10 sh -c "[ \$(phonevpn --json keypool status | jq '.. | numbers' | sort -n | tail -n 1) -gt 0 ]"
is "a phone is served" "$(fetch --max-time 5 "$(bundle_of $hall)")" 200
is "... at once, and recorded later" "$(proof $hall)" 1.1
stop writer
ok "... when the other has ended" wait_until 20 proof_is $hall "1.1 1.2"
stop again

# ---- where nobody logs in, and TLS, and enrolment ----
up open --auth none
is "without a login" "$(fetch "$(xml_of $new)") $(fetch "$(bundle_of $new)")" "200 200"
ok "after that" stop open
is "... nothing is known of who it was" "$(proof $new)" ""
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=phones -keyout "$T/key.pem" -out "$T/cert.pem" -days 2 2>"$T/req.err"
up tls --tls-cert "$T/cert.pem" --tls-key "$T/key.pem"
phonevpn --quiet enroll open --network 127.0.0.1/32
is "a phone enrolls" "$(curl -sk -o "$T/body" -w '%{http_code}' "$(xml_of $new | sed 's,//.*@,//,')")" 200
ok "... and was offered what it read" wait_until 10 proof_is $new 1.1
is "... which is told apart" "$(state "SELECT source FROM ladder AS l JOIN phones AS p ON p.id = l.phone WHERE mac = '$new'")" \
	"from 127.0.0.1 by serve, when it enrolled"
is "a bundle by HTTPS" "$(fetch "$(bundle_of $new)")" 200
ok "... is on record" wait_until 10 proof_is $new "1.1 1.2"
is "... by TLS 1.2" "$(fetch --tls-max 1.2 "$(bundle_of $home)")" 200
ok "... as well" wait_until 10 proof_is $home "1.2 2.2"
stop tls

# ---- a fleet whose connections are cut, and a server that is killed ----
{
	echo mac,model
	for i in $(seq 100 399); do
		echo "000fd3700$i,D65"
	done
} >"$T/fleet.csv"
phonevpn --quiet phone import "$T/fleet.csv" || bail_out import
ok "a fleet" phonevpn --quiet mint --all
up cut
phonevpn emit fleet >"$T/all.csv"
ok "one phone in two is cut in the middle of its bundle" refphone --quiet fleet --from "$T/all.csv" \
	--config-url "$(sed -n 's/^listening on //p' "$T/cut.out")/" --fault cut=50%
ok "serve ends" stop cut
is "... and each has it in the end, once" "$(state "SELECT count(*), count(DISTINCT phone) FROM ladder AS l JOIN phones AS p ON p.id = l.phone
	WHERE rung = 2 AND mac LIKE '000fd3700%'")" "300|300"

# claimed: MACs of the phones whose bundle is on record
claimed() {
	state "SELECT mac FROM ladder AS l JOIN phones AS p ON p.id = l.phone WHERE rung = 2 AND number = 2 AND mac LIKE '000fd3700%' ORDER BY mac"
}
ok "another generation for all of them" phonevpn --quiet mint --renew --all
phonevpn --quiet export --out "$T/www"
phonevpn emit fleet >"$T/all.csv"
: >"$T/fetched"
for round in $(seq 12); do
	spawn "killed$round" phonevpn serve --listen 127.0.0.1:0
	wait_until 10 printed "killed$round" 'listening on' || bail_out serve
	find "$T/www/ovpn" -name '000fd3700*.ovpn' -printf '/ovpn/%P\n' |
		awk -v url="$(sed -n 's/^listening on //p' "$T/killed$round.out")" -v to="$T/body" '
			NR == FNR { mac = substr($0, 1, 12); sub(".*//", ""); sub("@.*", ""); login[mac] = $0; next }
			{ mac = substr($0, length($0) - 16, 12)
			printf "%surl = \"%s%s\"\nuser = \"%s\"\ndigest\noutput = \"%s.%s\"\nwrite-out = \"%%{http_code}%%{exitcode} %s\\n\"\n", n++ ? "next\n" : "", url, $0, login[mac], to, mac, mac }' \
			"$T/all.csv" - >"$T/curl.conf"
	spawn fetch curl -s --no-progress-meter --parallel --parallel-max 20 -K "$T/curl.conf"
	# 0.0 to 1.8 s: before, while and after the first batch is written
	perl -e 'select(undef, undef, undef, $ARGV[0] * 0.15)' "$round"
	stop "killed$round" KILL
	wait_until 20 ended fetch || bail_out fetch
	sed -n 's/^2000 //p' "$T/fetch.out" >>"$T/fetched"
	unset 'spawned[fetch]'
	sort -u "$T/fetched" >"$T/fetched.sorted"
	claimed | comm -23 - "$T/fetched.sorted" >>"$T/made.up"
done
is "a server that is killed at any moment makes nothing up" "$(cat "$T/made.up")" ""
diag "$(wc -l <"$T/fetched.sorted") phones have theirs, $(claimed | wc -l) are on record"
up last
sed "s,http://127.0.0.1:[0-9]*,$(sed -n 's/^listening on //p' "$T/last.out")," "$T/curl.conf" >"$T/last.conf"
curl -s --no-progress-meter --parallel --parallel-max 20 -K "$T/last.conf" >"$T/codes"
is "all of them, at last" "$(sort -u "$T/codes" | grep -c '^2000 ')" 300
ok "... are on record" wait_until 20 sh -c "[ \$(sqlite3 '$T/state/phonevpn.db' \"SELECT count(*) FROM ladder AS l JOIN phones AS p ON p.id = l.phone \
	WHERE rung = 2 AND number = 2 AND mac LIKE '000fd3700%'\") = 300 ]"
ok "serve ends" stop last
ok "the log is whole" phonevpn events --verify
is "... and the state sound" "$(sqlite3 "$T/state/phonevpn.db" 'PRAGMA integrity_check')" ok
done_testing
