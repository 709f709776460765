#!/bin/bash
# SPDX-License-Identifier: ISC
#
# bench_check.sh BUILD [PHONES...]: what "check fleet" costs for a database with so many phones (1000, 10,000 and 100,000),
# without and with --server: time, phones a second, CPU time, peak memory. Making the largest takes some minutes: a
# certificate each. The limits are a minute and 200 MiB for 100,000 on two processors; memory is held to it here, time is
# only shown.
[ $# -eq 0 ] || BUILD=$1
. "$(dirname "$0")/e2e/lib.sh"

sizes=("${@:2}")
[ "${#sizes[@]}" -gt 0 ] || sizes=(1000 10000 100000)
limit=200 # MiB

# measure WHAT PHONES COMMAND...
measure() {
	perl -e '
		use POSIX ":sys_wait_h";
		use Time::HiRes qw(time);
		my ($limit, $what, $phones, @command) = @ARGV;
		my $start = time;
		my $pid = fork // die;
		if (!$pid) { open STDOUT, ">", "/dev/null"; exec @command or exit 127 }
		my $peak = 0;
		until (waitpid $pid, WNOHANG) {
			if (open my $f, "<", "/proc/$pid/status") { while (<$f>) { $peak = $1 / 1024 if /^VmHWM:\s+(\d+)/ } }
			select undef, undef, undef, 0.02;
		}
		die "status ", $? >> 8, "\n" if $?;
		my $seconds = time - $start;
		my (undef, undef, $user, $system) = times;
		printf "%-10s %10d %10.1f %12.0f %10.1f %14.3f %10.1f\n", $what, $phones, $seconds, $phones / $seconds, $user + $system,
			($user + $system) / $phones * 1000, $peak;
		die "over $limit MiB\n" if $peak > $limit;
	' "$limit" "$@"
}

printf '%-10s %10s %10s %12s %10s %14s %10s\n' check phones seconds phones/s "CPU s" "CPU ms/phone" "peak MiB"
for phones in "${sizes[@]}"; do
	rm -rf "$T/state" "$T/server"
	phonevpn --dir "$T/state" --quiet init --vpn-host vpn.example.com --url https://pbx.example.com --ca-bits 2048 || bail_out init
	"$BUILD/tests/bench_check_state" "$T/state" "$phones" || bail_out "a state with $phones phones"
	measure fleet "$phones" phonevpn --dir "$T/state" --quiet check fleet || bail_out "check fleet over $phones phones"
	# One server has no addresses for more than 65533 of them.
	phonevpn --dir "$T/state" --quiet emit server --out "$T/server" || bail_out "emit server"
	sed -i 's/^max-clients .*/max-clients 1000000/' "$T/server/server.conf"
	measure --server "$phones" phonevpn --dir "$T/state" --quiet check fleet --server "$T/server/server.conf" ||
		bail_out "check fleet --server over $phones phones"
done
