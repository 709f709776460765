#!/bin/bash
# SPDX-License-Identifier: ISC
#
# bench_fleet.sh BUILD [PHONES]: what a phone of "refphone fleet" costs this machine, beside "curl --parallel" on the
# same URLs and the same static nginx: CPU time of the client, user and system, and its memory. PHONES (10,000) boot, 1000
# at once; curl takes 300 at once and no more, over some 300 connections for all, or over one for each URL, as it knows no
# one for each phone: "x curl" is beside that of the two which is alike. It does not look at what it has fetched; of what the
# fleet does with each certificate, the signature by the CA's key of 4096 bits is two thirds. The best of five turns each, as
# others use the machine, too. Compare ratios, not times.
[ $# -eq 0 ] || BUILD=$1
. "$(dirname "$0")/e2e/lib.sh"

phones=${2:-10000}
at_once=1000
turns=5
export PHONEVPN_DIR=$T/state
[ "$(ulimit -Hn)" -ge $((at_once + 100)) ] || bail_out "a process may open $(ulimit -Hn) files, which is too few"

phonevpn --quiet init --vpn-host vpn.example.com --url http://127.0.0.1:1 || bail_out init
phonevpn --quiet phone add 000fd3000000 --model D65 || bail_out "phone add"
phonevpn --quiet mint 000fd3000000
mkdir "$T/www"
phonevpn emit bundle 000fd3000000 >"$T/bundle"
md5=$(md5sum <"$T/bundle" | cut -d' ' -f1)
port=$(free_port)
base=http://127.0.0.1:$port
cat >"$T/nginx.conf" <<CONF
pid $T/nginx.pid; error_log $T/nginx.log; daemon off; worker_processes 2; user root; worker_rlimit_nofile 8192;
events { worker_connections 4096; }
http {
	access_log off; keepalive_requests 1000000;
	client_body_temp_path $T/b; proxy_temp_path $T/p; fastcgi_temp_path $T/f; uwsgi_temp_path $T/u; scgi_temp_path $T/s;
	server { listen 127.0.0.1:$port backlog=4096; root $T/www; }
}
CONF
# An XML and a bundle for each phone, as many names of one file; the fleet; the same URLs for curl.
perl -e '
	my ($n, $base, $md5, $t) = @ARGV;
	open my $csv, ">", "$t/fleet.csv" or die;
	open my $list, ">", "$t/urls" or die;
	print $csv "mac,model,firmware\n";
	for my $mac (map { sprintf "000fd34%05x", $_ } 1 .. $n) {
		open my $xml, ">", "$t/www/$mac.cfg" or die;
		print $xml qq(<?xml version="1.0"?>\n<config>\n),
			qq(<setting id="network_default_enable_openvpn" value="1"/>\n),
			qq(<setting id="openvpn_inline_config" url="$base/$mac.ovpn" value="1" md5="$md5"/>\n),
			qq(<setting id="openvpn_logging" value="0"/>\n</config>\n);
		link "$t/bundle", "$t/www/$mac.ovpn" or die;
		print $csv "$mac,D65,2_9_27\n";
		print $list qq(url="$base/$mac.cfg"\noutput="/dev/null"\nurl="$base/$mac.ovpn"\noutput="/dev/null"\n);
	}' "$phones" "$base" "$md5" "$T" || bail_out "the documents cannot be written"
spawn nginx nginx -c "$T/nginx.conf"
wait_until 10 curl -sf -o "$T/probe" "$base/000fd3400001.cfg" || bail_out nginx

# cost COMMAND...: CPU seconds and peak KiB of a command, on one line of $T/costs
cost() {
	perl -e '
		use POSIX ":sys_wait_h";
		my $pid = fork // die;
		if (!$pid) { exec @ARGV or exit 127 }
		my $peak = 0;
		until (waitpid $pid, WNOHANG) {
			if (open my $f, "<", "/proc/$pid/status") { while (<$f>) { $peak = $1 if /^VmHWM:\s+(\d+)/ } }
			select undef, undef, undef, 0.02;
		}
		my (undef, undef, $user, $system) = times;
		die "status ", $? >> 8, "\n" if $?;
		print $user + $system, " $peak\n";
	' "$@" 2>>"$T/cost.err" || {
		tail -n 5 "$T/cost.err" >&2
		bail_out "a client failed: $*"
	}
}
curl_all() {
	local name=$1
	shift
	cost curl -sSf --parallel --parallel-max 300 "$@" -K "$T/urls" >>"$T/$name.cost"
}
fleet_all() {
	local name=$1 concurrency=$2
	shift 2
	cost bash -c 'ulimit -n $(ulimit -Hn); exec "$@" >"$T/report" 2>&1' - \
		refphone fleet --from "$T/fleet.csv" --config-url "$base" --concurrency "$concurrency" "$@" >>"$T/$name.cost"
	grep -q "^none  *$phones  *ok  *$phones ok  *0$" "$T/report" || bail_out "not every phone came up"
}
best() {
	sort -n "$T/$1.cost" | head -n 1
}
for ((i = 0; i < turns; i++)); do
	curl_all curl
	# Without --parallel-immediate it first waits for a connection that it may share, with all of its processor.
	curl_all close --parallel-immediate --header "Connection: close"
	fleet_all fetch $at_once --no-certificates --share-connections
	fleet_all own $at_once --no-certificates
	fleet_all whole $at_once
done

# row WHAT NAME LIKE [CONNECTIONS]: beside the curl of that name; the limit is 64 MiB and 16 KiB for each
row() {
	local cpu peak curl
	read -r cpu peak < <(best "$2")
	read -r curl _ < <(best "$3")
	awk -v what="$1" -v c="$cpu" -v curl="$curl" -v n="$phones" -v peak="$peak" -v connections="${4-}" \
		'BEGIN {
			limit = connections == "" ? "-" : sprintf("%.1f", 64 + connections / 64)
			printf "%-52s %8.3f %8.2f %8.1f %8s\n", what, c / n * 1000, c / curl, peak / 1024, limit
		}'
}
echo "$phones phones, $at_once at once: an XML and a bundle of $(stat -c %s "$T/bundle") bytes each, best of $turns"
printf '%-52s %8s %8s %8s %8s\n' "" "CPU ms" "x curl" "MiB" "limit"
row "curl --parallel, 300 connections for all" curl curl
row "refphone fleet, as that: fetch, share connections" fetch curl $at_once
row "curl --parallel, a connection for each URL" close close
row "refphone fleet, a connection a phone" own close $at_once
row "... and each phone's certificate checked" whole close $at_once
