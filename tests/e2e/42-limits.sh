#!/bin/bash
# SPDX-License-Identifier: ISC
#
# What one client, or a crowd of them, may take of the server: connections that say nothing, bytes that come one by one,
# and more connections than there may be. A phone beside them gets its files.
. "$(dirname "$0")/lib.sh"

export PHONEVPN_DIR=$T/state
mac=000fd3006501

phonevpn --quiet init --vpn-host vpn.example.com --url http://127.0.0.1:1 --ca-bits 2048 || bail_out "init"
phonevpn --quiet phone add $mac --model D65 || bail_out "phone add"
echo 'secret' >"$T/pass"
phonevpn --quiet phone set $mac --http-password-file "$T/pass"
phonevpn --quiet mint $mac || bail_out "mint"
md5=$(phonevpn emit md5 $mac)

# up NAME OPTION...: a server; $url is where.
up() {
	local name=$1
	shift
	spawn "$name" phonevpn serve --listen 127.0.0.1:0 "$@"
	ok "serve $*" wait_until 10 printed "$name" 'listening on'
	url=$(sed -n 's/^listening on //p' "$T/$name.out")
	port=${url##*:}
}
# status OPTION... : the status that the phone gets for its bundle
status() {
	curl -s --max-time 20 -o "$T/body" -D "$T/head" -w '%{http_code}' --digest -u $mac:secret "$@" "$url/ovpn/$md5/$mac.ovpn"
}
# gets STATUS: the phone does
gets() {
	[ "$(status)" = "$1" ]
}
# crowd NAME COUNT TEXT [BYTE [FROM]]: connections that send TEXT and then stay, with BYTE sending that once a second.
# Prints "up" when all are there, and "gone SECONDS" when the server has ended them all.
crowd() {
	spawn "$1" perl -MIO::Socket::INET -MIO::Select -MTime::HiRes=time -e '
		my ($port, $count, $text, $byte, $from) = @ARGV;
		my $select = IO::Select->new;
		my ($begun, $next) = (time, time + 1);
		for (1 .. $count) {
			my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $port, LocalAddr => $from) or die "connect: $!";
			syswrite $s, $text;
			$select->add($s);
		}
		$SIG{PIPE} = "IGNORE";
		$| = 1;
		print "up\n";
		while ($select->count) {
			for my $s ($select->can_read(0.2)) {
				my $n = sysread $s, my $answer, 65536;
				$select->remove($s), close $s unless $n;
			}
			next if time < $next;
			syswrite $_, $byte for length $byte ? $select->handles : ();
			$next += 1;
		}
		printf "gone %d\n", time - $begun;' "$port" "$2" "$3" "${4-}" "${5-127.0.0.1}"
	ok "$2 connections that send \"${3:0:12}\"${4:+ and then a byte a second}" wait_until 20 printed "$1" '^up'
}

# ---- the whole time of a request: a byte a second is not silence ----
up patient
crowd drip 300 $'GET / HTTP/1.1\r\nX-Slow: ' a
crowd silent 300 ''
is "a phone beside them: served" "$(status)" 200
is "... with its bytes" "$(md5sum <"$T/body" | cut -d' ' -f1)" "$md5"
patient=$url

# ---- as many as there may be ----
up full --max-connections 20
crowd filling 20 $'GET / HTTP/1.1\r\n'
is "one more than there may be: 503" "$(status)" 503
like "... and when to come again" "$(cat "$T/head")" '^Retry-After: [0-9]+'
like "... on a connection that ends" "$(cat "$T/head")" '^Connection: [Cc]lose'
ok "... the log says so once" test "$(grep -c 'as many as there may be' "$T/full.err")" = 1
for i in $(seq 40); do status >"$T/status.$i"; done
is "... and so are forty more, one after the other" "$(sort -u "$T"/status.*)" 503
stop filling
ok "as soon as they have gone, the phone is served" wait_until 10 gets 200
crowd beyond 276 $'GET / HTTP/1.1\r\n'
ok "connections beyond even that are ended within seconds, and the server lives" wait_until 20 gets 503
stop beyond
ok "... and serves when they have gone" wait_until 10 gets 200
stop full

# ---- an address' share ----
up shares --max-per-address 5
crowd greedy 5 $'GET / HTTP/1.1\r\n'
is "more than an address' share: 503" "$(status)" 503
is "... another address: served" "$(status --interface 127.0.0.2)" 200
stop greedy
ok "... and this one again when the others have gone" wait_until 10 gets 200
stop shares
up proxied --max-per-address 5 --trusted-proxy 127.0.0.1
crowd phones 50 $'GET / HTTP/1.1\r\n'
is "a trusted proxy's connections are all the phones', and no address' share" "$(status)" 200
stop phones
crowd stranger 5 $'GET / HTTP/1.1\r\n' '' 127.0.0.3
is "... a share is what another address still has" "$(status --interface 127.0.0.3)" 503
is "... while the proxy's phones are served" "$(status -H 'X-Forwarded-For: 127.0.0.3')" 200
stop stranger
stop proxied
ok "a share of none: usage" fails_with 2 phonevpn serve --max-per-address 0
ok "no connections at all: usage" fails_with 2 phonevpn serve --max-connections 0

# ---- and the slow ones, in the end ----
ok "bytes that come one by one: ended all the same" wait_until 45 printed drip '^gone'
ok "those that say nothing, too" wait_until 45 printed silent '^gone'
like "... not before a slow phone has had its time" "$(cat "$T/drip.out")" '^gone (29|3[0-9])$'
url=$patient
is "the phone is still served" "$(status)" 200
ok "the server still lives" lives patient
done_testing
