#!/bin/bash
# SPDX-License-Identifier: ISC
#
# bench_check.sh BUILD [PHONES...]: what "check fleet" costs for a database with so many phones (1000, 10,000 and 100,000):
# time, phones a second, CPU time of a phone, peak memory. Making the largest takes some minutes: a certificate each. The
# limits are a minute and 200 MiB for 100,000 on two processors; memory is held to it here, time is only shown.
[ $# -eq 0 ] || BUILD=$1
. "$(dirname "$0")/e2e/lib.sh"

sizes=("${@:2}")
[ "${#sizes[@]}" -gt 0 ] || sizes=(1000 10000 100000)
limit=200 # MiB

printf '%10s %10s %12s %14s %10s\n' phones seconds phones/s "CPU ms/phone" "peak MiB"
for phones in "${sizes[@]}"; do
	rm -rf "$T/state"
	phonevpn --dir "$T/state" --quiet init --vpn-host vpn.example.com --url https://pbx.example.com --ca-bits 2048 || bail_out init
	"$BUILD/tests/bench_check_state" "$T/state" "$phones" || bail_out "a state with $phones phones"
	perl -e '
		use POSIX ":sys_wait_h";
		use Time::HiRes qw(time);
		my ($phones, $limit, @command) = @ARGV;
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
		printf "%10d %10.1f %12.0f %14.3f %10.1f\n", $phones, $seconds, $phones / $seconds, ($user + $system) / $phones * 1000, $peak;
		die "over $limit MiB\n" if $peak > $limit;
	' "$phones" "$limit" phonevpn --dir "$T/state" --quiet check fleet || bail_out "check fleet over $phones phones"
done
