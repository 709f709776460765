#!/bin/bash
# SPDX-License-Identifier: ISC
#
# bench_mint.sh BUILD [PHONES...]: what minting a fleet costs (1000, 10,000 and 100,000 phones; the largest takes
# ten minutes): phones a second, CPU time of a phone, peak memory, bytes of database for a phone. "keys" makes keys and
# certificates; "ready" makes certificates for keys that were ready; "renew" makes certificates for keys that phones have.
# The same lines as JSON go into BUILD/bench_mint.json. What it must not be: CPU of a phone that grows with the fleet by
# more than a twentieth, 100 MiB, 4 KB for a phone and generation; memory and size are held to it here, time is only shown.
[ $# -eq 0 ] || BUILD=$1
. "$(dirname "$0")/e2e/lib.sh"

sizes=("${@:2}")
# The smaller ones before and after the largest: a machine at work for minutes is slower than one that was idle.
[ "${#sizes[@]}" -gt 0 ] || sizes=(1000 10000 100000 10000 1000)

cat >"$T/measure.pl" <<'END'
# measure.pl WHAT PHONES DATABASE COMMAND...
use Time::HiRes qw(time);
use POSIX ":sys_wait_h";
my ($what, $phones, $db, @command) = @ARGV;
sub size { my $n = 0; $n += -s $_ for grep { -e } $db, "$db-wal"; $n }
my ($before, $start, $peak) = (size(), time, 0);
my $pid = fork // die;
if (!$pid) { open STDOUT, ">", "/dev/null"; exec @command or exit 127 }
until (waitpid $pid, WNOHANG) {
	if (open my $f, "<", "/proc/$pid/status") { while (<$f>) { $peak = $1 / 1024 if /^VmHWM:\s+(\d+)/ } }
	select undef, undef, undef, 0.02;
}
die "@command: status ", $? >> 8, "\n" if $?;
my $seconds = time - $start;
my (undef, undef, $user, $system) = times;
my @row = ($what, $phones, $seconds, $phones / $seconds, ($user + $system) / $phones * 1000, $peak,
	(size() - $before) / $phones);
printf "%-6s %8d %9.1f %10.0f %14.3f %10.1f %12.0f\n", @row;
open my $json, ">>", "$ENV{BUILD}/bench_mint.json" or die "bench_mint.json: $!\n";
printf $json '{"what":"%s","phones":%d,"seconds":%.1f,"phones_per_second":%.0f,"cpu_ms_per_phone":%.3f,' .
	'"peak_mib":%.1f,"bytes_per_phone":%.0f}' . "\n", @row;
die "over 100 MiB\n" if $peak > 100;
die "over 4096 bytes a phone\n" if $row[6] > 4096;
END

measure() {
	local what=$1 phones=$2
	shift 2
	sqlite3 "$PHONEVPN_DIR/phonevpn.db" 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
	perl "$T/measure.pl" "$what" "$phones" "$PHONEVPN_DIR/phonevpn.db" phonevpn --quiet "$@" || bail_out "$*"
}

: >"$BUILD/bench_mint.json"
printf '%-6s %8s %9s %10s %14s %10s %12s\n' what phones seconds phones/s "CPU ms/phone" "peak MiB" "bytes/phone"
for phones in "${sizes[@]}"; do
	export PHONEVPN_DIR=$T/state
	rm -rf "$PHONEVPN_DIR"
	# What it costs is the default: a CA of 3072 bits.
	phonevpn --quiet init --vpn-host vpn.example.com --url https://pbx.example.com || bail_out init
	perl -e 'print "mac,model\n"; printf "000fd%07x,D65\n", $_ for 1 .. shift' "$phones" >"$T/fleet.csv"
	phonevpn --quiet phone import "$T/fleet.csv" || bail_out import
	measure keys "$phones" mint --all
	measure renew "$phones" mint --all --renew
	[ "$phones" -gt 10000 ] || {
		phonevpn --quiet keypool fill "$phones" || bail_out keypool
		measure ready "$phones" mint --all --rekey
	}
done
