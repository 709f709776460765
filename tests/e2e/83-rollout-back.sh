#!/bin/bash
# SPDX-License-Identifier: ISC
#
# What is seen late, taken back or revoked in the middle of a rollout: nothing is claimed that was not seen, no certificate
# goes that a phone may have to come back to, and one phone does not hold up the others. The OpenVPN server is this script.
. "$(dirname "$0")/lib.sh"

export PHONEVPN_DIR=$T/state
desk=000fd3006501
hall=000fd3006502
home=000fd3006503
phonevpn --quiet init --vpn-host vpn.example.com --url http://127.0.0.1:1 --ca-bits 2048 || bail_out init
for mac in $desk $hall $home; do
	phonevpn --quiet phone add "$mac" --model D65 || bail_out "phone add"
done
phonevpn --quiet mint --all || bail_out mint

state() {
	sqlite3 "$PHONEVPN_DIR/phonevpn.db" "$1"
}
proof() {
	phonevpn --json phone show "$1" | jq -r '[.proof[] | "\(.generation) \(.rung)"] | join(", ")'
}
proof_is() {
	[ "$(proof "$1")" = "$2" ]
}
offered() {
	state "SELECT group_concat(offered, ' ') FROM (SELECT offered FROM phones ORDER BY mac)"
}

offers() {
	phonevpn --quiet rollout step && [ "$(phonevpn --json rollout status "$1" | jq '.all.offered + .all.failed')" -gt 0 ]
}
paused() {
	phonevpn --quiet rollout step
	[ "$(phonevpn --json rollout status "$1" | jq -r .state)" = paused ]
}

# ---- a server: lists what is in $T/clients, and says what comes through $T/fifo ----
cat >"$T/vpn.pl" <<'PERL'
use strict;
use warnings;
use IO::Select;
use IO::Socket::UNIX;
my ($folder) = @ARGV;
my $listen = IO::Socket::UNIX->new(Listen => 1, Local => "$folder/socket") or die "socket: $!";
open my $fifo, '+<', "$folder/fifo" or die "fifo: $!";
$| = 1;
while (my $admin = $listen->accept) {
	print {$admin} ">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info\r\n";
	$admin->flush;
	while (1) {
		my ($from) = IO::Select->new($admin, $fifo)->can_read;
		sysread($from, my $said, 65536) or last;
		if ($from == $fifo) {
			syswrite($admin, $said);
			next;
		}
		open my $clients, '<', "$folder/clients" or die "clients: $!";
		my @list = <$clients>;
		syswrite($admin, join '', "TITLE\tOpenVPN 2.6.14\r\n", @list, "END\r\n");
		print "listed\n";
	}
}
PERL
mkfifo "$T/fifo"
: >"$T/clients"
spawn vpn perl "$T/vpn.pl" "$T"
wait_until 10 test -S "$T/socket" || bail_out vpn
exec 8<>"$T/fifo"
# watches [OPTION...]: somebody listens, and has asked for the list
watches() {
	local before
	before=$(grep -c listed "$T/vpn.out")
	spawn watch phonevpn watch --management "$T/socket" "$@"
	wait_until 20 more_than "$before" || bail_out "watch does not ask for the list"
}
more_than() {
	[ "$(grep -c listed "$T/vpn.out")" -gt "$1" ]
}
# lists [MAC ID SINCE]: who is connected
lists() {
	: >"$T/clients.new"
	[ $# -eq 0 ] || printf 'CLIENT_LIST\t%s\t198.18.1.2:1194\t10.8.0.2\t\t0\t0\t-\t%s\tUNDEF\t%s\t0\tAES-256-GCM\r\n' "$1" "$3" "$2" >"$T/clients.new"
	mv "$T/clients.new" "$T/clients"
}
# connects MAC ID SINCE: with the certificate of what it is offered
connects() {
	phonevpn emit bundle "$1" | sed -n "/^<cert>/,/^<.cert>/p" | openssl x509 -noout -serial -fingerprint -sha256 >"$T/certificate"
	lists "$1" "$2" "$3"
	printf '%s\r\n' ">CLIENT:ESTABLISHED,$2" ">CLIENT:ENV,time_unix=$3" ">CLIENT:ENV,trusted_port=1194" ">CLIENT:ENV,trusted_ip=198.18.1.2" \
		">CLIENT:ENV,common_name=$1" \
		">CLIENT:ENV,tls_serial_hex_0=$(sed -n 's/^serial=//p' "$T/certificate" | tr A-F a-f | sed 's/../&:/g; s/:$//')" \
		">CLIENT:ENV,tls_digest_sha256_0=$(sed -n 's/.*Fingerprint=//p' "$T/certificate" | tr A-F a-f)" ">CLIENT:ENV,END" >&8
}

# ---- seen, and recorded late ----
spawn writer flock -o "$PHONEVPN_DIR/lock" sleep 60
began=$EPOCHSECONDS
lists $desk 0 "$began"
watches --soak 2
lists
ok "while another program writes, time goes on" wait_until 20 sh -c "[ \$(date +%s) -ge $((began + 4)) ]"
stop writer
ok "a session that was listed is on record afterwards" wait_until 20 proof_is $desk "1 connected"
ended() {
	[ "$(phonevpn --json phone show "$1" | jq '.session.ended != null')" = true ]
}
ok "... and has ended without a word" wait_until 20 ended $desk
is "... before it settled, as far as was seen" "$(proof $desk)" "1 connected"
stop watch

# ---- taken back, and what a phone has then ----
watches --soak 1
connects $desk 1 "$EPOCHSECONDS"
ok "a phone connects and settles" wait_until 20 proof_is $desk "1 connected, 1 settled"
phonevpn --quiet rollout create spring $desk --waves 100% --soak 0 --deadline 1h
phonevpn --quiet rollout start spring
ok "another certificate" offers spring
connects $desk 2 "$EPOCHSECONDS"
ok "... with which it connects and settles" wait_until 20 proof_is $desk "1 connected, 1 settled, 2 connected, 2 settled"
stop watch
ok "it is taken back" phonevpn rollout rollback spring
is "... to the first" "$(offered)" "1 1 1"
waits() {
	phonevpn --json retire --dry-run $desk | jq -r '"\(.would_revoke | length): \([.waiting[].waits_for] | unique | join(", "))"'
}
is "... which may not go" "$(waits)" "0: to be offered its successor again"
phonevpn --quiet rollout create summer $desk --waves 100% --soak 0 --deadline 1h
phonevpn --quiet rollout start summer
ok "a third one, while nobody sees what the phone has" offers summer
is "... is offered" "$(offered)" "3 1 1"
is "... and neither of the others may go before it has settled with that" "$(waits)" "0: to fetch its successor"
watches --soak 1
connects $desk 3 "$EPOCHSECONDS"
ok "it connects with the third and settles" wait_until 20 proof_is $desk "1 connected, 1 settled, 2 connected, 2 settled, 3 connected, 3 settled"
stop watch
ok "then both others go" sh -c "phonevpn --json retire --all | jq -e '(.revoked | length) == 2 and .waiting == []'"

# ---- another try, taken back ----
phonevpn --quiet rollout create autumn $hall $home --waves 100% --soak 0 --deadline 1s --errors 0
phonevpn --quiet rollout start autumn
ok "two phones are offered something" offers autumn
is "... both" "$(offered)" "3 2 2"
ok "... and do not take it" wait_until 20 paused autumn
ok "they get another try" phonevpn rollout retry autumn
ok "... which is taken back before it begins" phonevpn rollout rollback autumn
is "... with what they were offered" "$(offered)" "3 1 1"
ok "mint does not offer it either" phonevpn --quiet mint --all
is "... to anybody" "$(offered)" "3 1 1"

# ---- one of them is stolen meanwhile ----
phonevpn --quiet rollout create winter $hall $home --waves 100% --soak 0 --deadline 1s --errors 0
phonevpn --quiet rollout start winter
ok "two phones are offered another" offers winter
ok "... and do not take it" wait_until 20 paused winter
ok "they get another try" phonevpn rollout retry winter
ok "one is stolen" phonevpn --quiet revoke $hall
ok "the rollout goes on" phonevpn --quiet rollout step
is "... and says of whom it cannot" "$(phonevpn --json rollout status winter --phones | jq -r '[.phones[] | "\(.mac[-2:]) \(.state) \(.why)"] | join(", ")')" \
	"02 failed revoked, 03 offered null"

# ---- nobody knows that a phone has fetched what it has: serve was killed before it was on record ----
phonevpn --quiet rollout abort winter
ok "other settings" phonevpn config set vpn-verb 4
phonevpn --quiet rollout create settings $home --settings --waves 100% --soak 0 --deadline 1s --errors 0
phonevpn --quiet rollout start settings
ok "... are offered with the certificate that there is" offers settings
before=$(phonevpn emit md5 $home)
ok "... and not taken, as far as is known" wait_until 20 paused settings
ok "another try, with something new" phonevpn rollout retry settings --new
ok "... is offered" offers settings
ok "... and is another file, which is fetched for certain" [ "$(phonevpn emit md5 $home)" != "$before" ]

# ---- another try in one that is over, of a phone that is in the next one ----
phonevpn --quiet rollout abort settings
phonevpn --quiet rollout create over $home --waves 100% --soak 0 --deadline 1s --errors 100% --success 0
phonevpn --quiet rollout start over
over() {
	phonevpn --quiet rollout step
	[ "$(phonevpn --json rollout status over | jq -r .state)" = "done" ]
}
ok "a rollout is over, though its phone has failed" wait_until 20 over
phonevpn --quiet rollout create next $home --waves 100% --soak 0 --deadline 1h
phonevpn --quiet rollout start next
ok "the next one has it: no other try" fails_with 4 phonevpn rollout retry over
like "... with the reason" "$(cat "$T/err")" "phone $home: it is in the rollout next, which is not over"
ok "when that is over" phonevpn --quiet rollout abort next
ok "... there is one" phonevpn --quiet rollout retry over
ok "the log is whole" phonevpn events --verify

# ---- another CA, and what is said and done out of turn ----
# The phones are this script: what they are offered, they settle with.
all_settle() {
	local i
	for ((i = 0; i < 4; i++)); do
		phonevpn --quiet rollout step || return
		state "INSERT OR IGNORE INTO ladder (phone, number, rung, at, source)
			SELECT id, offered, 4, unixepoch(), 'test' FROM phones WHERE offered IS NOT NULL"
	done
}
stage() {
	phonevpn --json rollout status "$1" | jq -r '"\(.state) \(.stage)"'
}
# trusted MAC: the CAs in what the phone is offered
trusted() {
	phonevpn emit bundle "$1" | sed -n '/^<ca>$/,/^<.ca>$/p' | openssl crl2pkcs7 -nocrl -certfile /dev/stdin |
		openssl pkcs7 -print_certs -noout | sed -n 's/^subject=.*CN = //p' | sort | paste -sd,
}
export PHONEVPN_DIR=$T/moved
phonevpn --quiet init --vpn-host vpn.example.com --url http://127.0.0.1:1 --ca-bits 2048 || bail_out init
for mac in $desk $hall; do
	phonevpn --quiet phone add "$mac" --model D65 || bail_out "phone add"
done
phonevpn --quiet mint --all || bail_out mint
phonevpn --quiet rollout create before --all --waves 100% --soak 0
phonevpn --quiet rollout start before
ok "a rollout before it" all_settle
is "... is over" "$(stage before)" "done null"
phonevpn --quiet ca add --name Next --ca-bits 2048
phonevpn --quiet rollout create move --all --ca Next --waves 100% --soak 0
phonevpn --quiet rollout start move
cp -r "$T/moved" "$T/dropped"
ok "the new CA is dropped by hand" phonevpn --dir "$T/dropped" --quiet ca drop Next
ok "... and cannot be confirmed then: conflict" fails_with 4 phonevpn --dir "$T/dropped" rollout confirm move
like "... with what it is" "$(cat "$T/err")" 'CA "Next" to issue from now on, found it is dropped'
phonevpn --quiet rollout confirm move
ok "the phones take certificates of the new CA" all_settle
is "... all" "$(stage move)" "running server"
ok "no such CA: not found" fails_with 3 phonevpn rollout create other --all --ca None
cp -r "$T/moved" "$T/again"
PHONEVPN_DIR=$T/again
ok "it is taken back" phonevpn --quiet rollout rollback move
is "... and phones are offered the old CA's alone" "$(trusted $desk | tr , '\n' | grep -cx Next)" 0
ok "another try" phonevpn --quiet rollout create again --all --ca Next --waves 100% --soak 0
ok "... begins" phonevpn --quiet rollout start again
is "... with the phones, as the servers trust it since then" "$(stage again)" "running phones"
ok "... which take it" all_settle
is "... all" "$(stage again)" "running server"
PHONEVPN_DIR=$T/moved
phonevpn --quiet phone add $home --model D65
phonevpn --quiet mint $home
phonevpn --quiet server renew
ok "a phone is put in meanwhile" phonevpn --quiet rollout add move $home
ok "... and was not seen yet: nothing is confirmed" fails_with 4 phonevpn rollout confirm move
like "... for it" "$(cat "$T/err")" 'expected all its phones to have settled, found 1 that have not'
ok "it gets its turn" all_settle
is "... and the admin waits no longer" "$(phonevpn --json rollout status move | jq -r '"\(.all.settled) \(.stage)"')" "3 server"
cp -r "$T/moved" "$T/failed"
PHONEVPN_DIR=$T/failed
state "INSERT INTO vpn_sessions (phone, server, client, since, attachment, address, serial, unsettled)
	SELECT id, 's', 1, unixepoch(), 1, '198.51.100.7:4711', randomblob(20), 0 FROM phones WHERE mac = '$desk'"
ok "one comes with a strange certificate" paused move
ok "... and goes on by force" phonevpn --quiet rollout resume move --errors 100%
ok "... but not to where it would be stranded: conflict" fails_with 4 phonevpn rollout confirm move
PHONEVPN_DIR=$T/moved
is "what phones are offered trusts both" "$(trusted $desk | tr , '\n' | grep -cx Next)" 1
ok "the rollout before cannot be taken back beside it: conflict" fails_with 4 phonevpn rollout rollback before
cp -r "$T/moved" "$T/aborted"
phonevpn --dir "$T/aborted" --quiet rollout abort move
ok "... nor after it, as the server has moved: conflict" fails_with 4 phonevpn --dir "$T/aborted" rollout rollback before
like "... as phones would not trust it" "$(cat "$T/err")" 'the CA "Next" already, which 2 phones \(.*\) would not trust'
is "... and they still do" "$(trusted $desk | tr , '\n' | grep -cx Next)" 1
ok "confirmed" phonevpn rollout confirm move
ok "the phones forget the old CA" all_settle
is "... all" "$(stage move)" "running clean"
is "... and trust the new one alone" "$(trusted $desk)" Next
ok "the end is confirmed" phonevpn rollout confirm move
is "... once" "$(stage move)" "done clean"

# ---- a rollout that is over, while the next one has its phones ----
phonevpn --quiet rollout create older --all --waves 100% --soak 0 --deadline 1s --success 0 --errors 100%
phonevpn --quiet rollout start older
fails() {
	phonevpn --quiet rollout step
	[ "$(stage older)" = "done null" ]
}
ok "a rollout ends with phones that failed" wait_until 20 fails
phonevpn --quiet rollout create newer $desk --waves 100% --soak 0
ok "it gives nobody another try whom the next one has: conflict" fails_with 4 phonevpn rollout retry older
like "... with both" "$(cat "$T/err")" "phone $desk: it is in the rollout newer, which is not over"
ok "... nor takes anything back: conflict" fails_with 4 phonevpn rollout rollback older
ok "when that is taken out of the next one" phonevpn --quiet rollout drop newer $desk
ok "... it does" phonevpn --quiet rollout retry older
done_testing
