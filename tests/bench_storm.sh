#!/bin/bash
# SPDX-License-Identifier: ISC
#
# bench_storm.sh BUILD [PHONES]: a fleet that boots at once: PHONES (10,000), each with a login of its own, its XML and its
# bundle, a new connection for each file, first without a login and on a 401 with it. What it costs the server's processor
# (CPU time of the server alone), how long the phones wait, and what memory it takes, beside lighttpd's mod_auth with the
# same logins and nginx with no login at all, in the same run and with the same bytes. nginx and lighttpd write an access
# log, as Debian sets them up, and as phonevpn does. Compare ratios, not times.
[ $# -eq 0 ] || BUILD=$1
. "$(dirname "$0")/e2e/lib.sh"

phones=${2:-10000}
export PHONEVPN_DIR=$T/state
[ "$(ulimit -Hn)" -ge 10500 ] || bail_out "a process may open $(ulimit -Hn) files, which is too few"
ulimit -n "$(ulimit -Hn)"

# server_cpu PID: what it and its children have used until now
server_cpu() {
	local pid
	for pid in "$1" $(pgrep -P "$1"); do
		awk '{ print $14 + $15 }' "/proc/$pid/stat"
	done | awk -v hz="$(getconf CLK_TCK)" '{ sum += $1 } END { print sum / hz }'
}
# server_peak PID: KiB of memory at most, it and its children
server_peak() {
	local pid
	for pid in "$1" $(pgrep -P "$1"); do
		sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status"
	done | awk '{ sum += $1 } END { print sum }'
}
# storm WHAT NAME PORT AT-ONCE [LIST]: a line of the table; sets cpu (ms a phone), ratio (p99 to median) and peak (MiB)
storm() {
	local what=$1 pid before after
	pid=$(pid_of "$2")
	before=$(server_cpu "$pid")
	"$BUILD/tests/bench_storm" "127.0.0.1:$3" "${5:-$T/list}" "$4" >"$T/storm.out" || failed=1
	after=$(server_cpu "$pid")
	read -r n good refused wrong broken seconds median p99 worst <"$T/storm.out"
	cpu=$(awk -v a="$before" -v b="$after" -v n="$n" 'BEGIN { printf "%.4f", (b - a) / n * 1000 }')
	ratio=$(awk -v a="$p99" -v b="$median" 'BEGIN { printf "%.2f", a / b }')
	peak=$(server_peak "$pid" | awk '{ printf "%.1f", $1 / 1024 }')
	printf '%-34s %6d %7d %7.3f %7.1f %8.1f %8.1f %8.1f %7.1f\n' "$what" "$4" "$good" "$cpu" "$seconds" "$median" "$p99" "$worst" "$peak"
	[ "$refused$wrong$broken" = 000 ] || echo "    refused $refused, wrong bytes $wrong, broken $broken"
}

# ---- the fleet, and the same files for the others ----
perl -MDigest::MD5=md5_hex -e '
	my ($n, $t) = @ARGV;
	open my $csv, ">", "$t/fleet.csv" or die;
	open my $passwords, ">", "$t/htdigest" or die;
	print $csv "mac,model,http_user,http_password\n";
	for my $i (1 .. $n) {
		my ($mac, $password) = (sprintf("000fd34%05x", $i), md5_hex("password $i"));
		print $csv "$mac,D65,$mac,$password\n";
		print $passwords "$mac:phonevpn:", md5_hex("$mac:phonevpn:$password"), "\n";
	}' "$phones" "$T" || bail_out "the fleet cannot be written"
phonevpn --quiet init --vpn-host vpn.example.com --url http://127.0.0.1:1 || bail_out init
phonevpn --quiet phone import "$T/fleet.csv" || bail_out import
phonevpn --quiet mint --all || bail_out mint
phonevpn --quiet export --out "$T/www" || bail_out export
find "$T/www/ovpn" -name '*.ovpn' -printf '/ovpn/%P\n' | awk -F, '
	NR == FNR { login[$1] = $3 " " $4; next }
	{ mac = substr($0, length($0) - 16, 12); print login[mac], "/" mac ".cfg", $0 }' "$T/fleet.csv" - >"$T/list"
sed 's/^\([^ ]*\) [^ ]*/\1 wrong/' "$T/list" | head -n 1000 >"$T/wrong"
[ "$(wc -l <"$T/list")" -eq "$phones" ] || bail_out "the list of files is not whole"

# ---- the servers ----
nginx_port=$(free_port)
lighttpd_port=$(free_port)
cat >"$T/nginx.conf" <<CONF
user root; pid $T/nginx.pid; error_log $T/nginx.log; daemon off; worker_processes 2; worker_rlimit_nofile 20000;
events { worker_connections 10000; }
http {
	access_log $T/nginx.access; sendfile on; tcp_nopush on;
	client_body_temp_path $T/b; proxy_temp_path $T/p; fastcgi_temp_path $T/f; uwsgi_temp_path $T/u; scgi_temp_path $T/s;
	server { listen 127.0.0.1:$nginx_port backlog=4096; root $T/www; }
}
CONF
cat >"$T/lighttpd.conf" <<CONF
server.modules = ("mod_auth", "mod_authn_file", "mod_accesslog")
server.document-root = "$T/www"
server.port = $lighttpd_port
server.bind = "127.0.0.1"
server.errorlog = "$T/lighttpd.log"
accesslog.filename = "$T/lighttpd.access"
server.max-worker = 2
server.max-fds = 20000
server.max-connections = 10000
server.listen-backlog = 4096
auth.backend = "htdigest"
auth.backend.htdigest.userfile = "$T/htdigest"
auth.require = ("/" => ("method" => "digest", "realm" => "phonevpn", "require" => "valid-user"))
CONF
# With workers it ends its whole process group.
spawn nginx nginx -c "$T/nginx.conf"
spawn lighttpd setsid lighttpd -D -f "$T/lighttpd.conf"
wait_until 10 curl -s -o "$T/probe" "http://127.0.0.1:$nginx_port/" || bail_out nginx
wait_until 10 curl -s -o "$T/probe" "http://127.0.0.1:$lighttpd_port/" || bail_out lighttpd
# A server anew for each crowd, so that its memory is that crowd's.
serve() {
	spawn "$1" phonevpn serve --listen 127.0.0.1:0 --threads 2
	wait_until 10 printed "$1" 'listening on' || bail_out serve
	port=$(sed -n 's/^listening on .*://p' "$T/$1.out")
}

failed=0
echo "$phones phones, an XML and a bundle of $(find "$T/www/ovpn" -name '*.ovpn' -printf '%s\n' -quit) bytes each"
printf '%-34s %6s %7s %7s %7s %8s %8s %8s %7s\n' "" "at once" "served" "CPU ms" "s" "median" "p99" "worst" "MiB"
# Once in its life a phone's login, and what it has read and fetched, go on record; a power cut comes later.
serve first
storm "phonevpn serve, a first boot" first "$port" 100
stop first >"$T/stopped"
for at_once in 100 1000 5000; do
	serve "serve$at_once"
	storm "phonevpn serve, digest" "serve$at_once" "$port" $at_once
	ours=$cpu
	[ $at_once != 1000 ] || ours_ratio=$ratio
	storm "lighttpd, digest" lighttpd "$lighttpd_port" $at_once
	lighttpd=$cpu
	storm "nginx, no login" nginx "$nginx_port" $at_once
	awk -v at="$at_once" -v o="$ours" -v l="$lighttpd" -v n="$cpu" 'BEGIN {
		printf "    CPU at %d: %.2f of lighttpd (limit 0.5), %.2f of nginx (limit 1.5)\n", at, o / l, o / n }'
	[ $at_once != 5000 ] || echo "    memory at 5000: $(server_peak "$(pid_of serve5000)") KiB (limit 49152)"
	stop "serve$at_once" >"$T/stopped"
done
echo "    p99 at 1000: $ours_ratio medians (limit 2)"
serve wrong
"$BUILD/tests/bench_storm" "127.0.0.1:$port" "$T/wrong" 100 >"$T/storm.out"
read -r n good refused _ <"$T/storm.out"
echo "wrong passwords: $refused of $n refused, $good let in"
[ $failed = 0 ] || bail_out "a phone with its right password came up short"
[ "$refused" = "$n" ] || bail_out "a wrong password was taken"
