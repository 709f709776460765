#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Under a service manager: what systemd is told and hands over, and that no phone is turned away by a restart.
. "$(dirname "$0")/lib.sh"

command -v systemd-socket-activate >"$T/out" || skip_all "no systemd-socket-activate (package systemd)"
export PHONEVPN_DIR=$T/state
mac=000fd3006501

phonevpn --quiet init --vpn-host vpn.example.com --url http://127.0.0.1:1 --ca-bits 2048 || bail_out "init"
phonevpn --quiet phone import "$SOURCE/doc/examples/fleet.csv" || bail_out "import"
echo secret >"$T/pass"
phonevpn --quiet phone set $mac --http-password-file "$T/pass"
phonevpn --quiet mint $mac || bail_out "mint"
md5=$(phonevpn emit md5 $mac)
status() {
	curl -s -o "$T/body" -w '%{http_code}' --max-time 10 --digest -u "$mac:secret" "$@"
}

# ---- sd_notify(3): what arrives at its socket, a line each ----
cat >"$T/notify.pl" <<'PERL'
use IO::Socket::UNIX;
$| = 1;
my $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die;
print "bound\n";
while (1) { defined $s->recv(my $text, 4096) or next; print join(" ", split /\n/, $text), "\n"; }
PERL
spawn notify perl "$T/notify.pl" "$T/notify.sock"
wait_until 10 printed notify bound || bail_out "notify"
told() {
	[ "$(grep -cE "$1" "$T/notify.out")" -ge "$2" ]
}
spawn watched env NOTIFY_SOCKET="$T/notify.sock" WATCHDOG_USEC=400000 phonevpn serve --listen 127.0.0.1:0
ok "it says that it is ready" wait_until 10 told '^READY=1$' 1
url=$(sed -n 's/^listening on //p' "$T/watched.out")
is "... and answers then" "$(status "$url/$mac.cfg")" 200
ok "it says that it lives" wait_until 10 told '^WATCHDOG=1$' 3
before=$(perl -ne 'printf "%.0f", (split)[0] * 1e6' /proc/uptime)
kill -HUP "$(pid_of watched)"
ok "a reload has an end" wait_until 10 told '^READY=1$' 2
like "... and a beginning" "$(cat "$T/notify.out")" '^RELOADING=1 MONOTONIC_USEC=[0-9]+$'
after=$(sed -n 's/.*MONOTONIC_USEC=//p' "$T/notify.out")
ok "... at that time" test "$after" -ge $((before - 1000000)) -a "$after" -le $((before + 10000000))
exec 8<>"/dev/tcp/127.0.0.1/${url##*:}"
printf 'GET /000000000000.cfg HTTP/1.1\r\nHost: a\r\n\r\n' >&8
read -r answer <&8
like "a connection that is kept alive" "$answer" '200 OK'
start=$SECONDS
ok "it ends in order" stop watched
ok "... and does not wait for who asks nothing" test $((SECONDS - start)) -lt 4
exec 8>&-
ok "it says that it stops" told '^STOPPING=1$' 1
stop notify

# ---- sd_listen_fds(3) ----
port=$(free_port)
spawn activated systemd-socket-activate -E PHONEVPN_DIR -l "127.0.0.1:$port" phonevpn serve
ok "systemd-socket-activate listens" wait_until 10 printed activated 'Listening on'
is "the first phone starts the server, and is served" "$(status "http://127.0.0.1:$port/$mac.cfg")" 200
like "it says where" "$(cat "$T/activated.out")" "^listening on http://127\.0\.0\.1:$port$"
ok "it ends in order" stop activated
# refused PROTO ARGUMENT...: its status with such sockets, of which the first packet to $port starts it
refused() {
	local proto=$1
	shift
	spawn refused systemd-socket-activate -E PHONEVPN_DIR "$@"
	wait_until 10 printed refused 'Listening on' || return 1
	perl -MIO::Socket::INET -e \
		'IO::Socket::INET->new(PeerAddr => $ARGV[0], Proto => $ARGV[1])->syswrite("x")' "127.0.0.1:$port" "$proto"
	wait_until 10 ended refused
	joined refused
}
ok "--listen and a socket: usage" fails_with 2 refused tcp -l "127.0.0.1:$port" phonevpn serve --listen 127.0.0.1:0
ok "a socket of another kind: refused" fails_with 1 refused udp -d -l "127.0.0.1:$port" phonevpn serve
like "... in words" "$(cat "$T/refused.err")" 'expected a TCP socket that listens'
ok "two of them: refused" fails_with 1 refused tcp -l "127.0.0.1:$port" -l "127.0.0.1:$(free_port)" phonevpn serve
like "... in words" "$(cat "$T/refused.err")" 'expected one for the phones'

# ---- restarts, while phones come: the socket is held by somebody who lives on, as systemd does ----
cat >"$T/hold.pl" <<'PERL'
use IO::Socket::INET;
use Fcntl;
use POSIX;
$| = 1;
sub listener { IO::Socket::INET->new(Listen => 4096, LocalAddr => "127.0.0.1", LocalPort => 0, ReuseAddr => 1) or die }
my ($phones, $admin) = (listener(), listener());
printf "phones %d\nadmin %d\n", $phones->sockport, $admin->sockport;
$SIG{TERM} = sub { kill TERM => $child; waitpid $child, 0; exit 0 };
while (1) {
	$child = fork;
	if (!$child) {
		# Descriptors 3 and 4 may be these very sockets.
		my ($p, $a) = (fcntl($phones, F_DUPFD, 10), fcntl($admin, F_DUPFD, 10));
		POSIX::dup2($p, 3); POSIX::dup2($a, 4); POSIX::close($p); POSIX::close($a);
		@ENV{qw(LISTEN_PID LISTEN_FDS LISTEN_FDNAMES)} = ($$, 2, "phonevpn.socket:admin");
		exec @ARGV;
	}
	print "child $child\n";
	waitpid $child, 0;
	printf "ended %d\n", $?;
}
PERL
spawn hold perl "$T/hold.pl" phonevpn serve
ok "a server on two lent sockets" wait_until 10 printed hold '^admin on'
port=$(sed -n 's/^phones //p' "$T/hold.out")
admin=$(sed -n 's/^admin \([0-9]\)/\1/p' "$T/hold.out")
is "the one named admin" "$(curl -s -o "$T/body" -w '%{http_code}' "http://127.0.0.1:$admin/healthz")" 200
for i in $(seq 1200); do
	printf 'url = "http://127.0.0.1:%s/ovpn/%s/%s.ovpn"\noutput = "%s/got.%s"\n' "$port" "$md5" $mac "$T" "$i"
done >"$T/many.conf"
# A new connection for each request, and no second try.
curl -sS --no-progress-meter --parallel --parallel-max 8 --digest -u "$mac:secret" -H 'Connection: close' -w '%{http_code}\n' -K "$T/many.conf" \
	>"$T/codes" 2>"$T/curl.err" &
fetching=$!
for i in $(seq 2000); do
	echo "$mac secret /$mac.cfg /ovpn/$md5/$mac.ovpn"
done >"$T/list"
"$BUILD/tests/bench_storm" "127.0.0.1:$port" "$T/list" 20 >"$T/storm.out" 2>"$T/storm.err" &
storming=$!
restarted() {
	[ "$(grep -c '^ended' "$T/hold.out")" -ge "$1" ] && [ "$(grep -c '^listening' "$T/hold.out")" -gt "$1" ]
}
restarts=0
while kill -0 $fetching $storming 2>"$T/err" && [ $restarts -lt 6 ]; do
	kill -TERM "$(sed -n 's/^child //p' "$T/hold.out" | tail -n 1)"
	restarts=$((restarts + 1))
	wait_until 10 restarted $restarts || break
done
wait $fetching
is "no phone notices a restart" "$?,$(sort "$T/codes" | uniq -c | awk '{ print $1, $2 }')" "0,1200 200"
wait $storming
is "... none of those with an address of its own each, and both files" "$(cut -d' ' -f2-5 "$T/storm.out")" "2000 0 0 0"
diag "$restarts restarts"
diag <"$T/curl.err"
ok "... of which there were some" test $restarts -ge 3
is "... each has its bundle" "$(md5sum "$T"/got.* | grep -c "^$md5 ")" 1200
is "each server ended in order" "$(grep '^ended' "$T/hold.out" | sort -u)" "ended 0"
is "the admin's socket came through as well" "$(curl -s -o "$T/body" -w '%{http_code}' "http://127.0.0.1:$admin/healthz")" 200
ok "the last one ends, too" stop hold

# ---- the unit files ----
mkdir "$T/units"
cp "$SOURCE"/packaging/systemd/*.service "$SOURCE"/packaging/systemd/*.socket "$SOURCE"/packaging/systemd/*.timer "$T/units"
sed -i "s,/usr/local/bin/phonevpn,$BUILD/phonevpn," "$T"/units/*.service
systemd-analyze verify --man=no --recursive-errors=no "$T"/units/* >"$T/verified" 2>&1
unlike "systemd knows every line of the units" "$(cat "$T/verified")" 'phonevpn(-watch|-rollout|-crl)?\.(service|socket|timer)'
if systemd-analyze security --offline=true --threshold=100 "$T/units/phonevpn.service" >"$T/out" 2>&1; then
	ok "the service can do little else than serve: exposure below 1.5 of 10" \
		systemd-analyze security --offline=true --threshold=15 "$T/units/phonevpn.service"
	diag "$(tail -n 1 "$T/out")"
	ok "... and the watch little else than listen" systemd-analyze security --offline=true --threshold=25 "$T/units/phonevpn-watch.service"
	diag "$(tail -n 1 "$T/out")"
else
	skip 2 "systemd-analyze cannot judge it: $(tail -n 1 "$T/out")"
fi
done_testing
