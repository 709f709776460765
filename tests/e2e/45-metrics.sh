#!/bin/bash
# SPDX-License-Identifier: ISC
#
# What the admin listener tells of the server and the fleet: a monitoring that shows something else wakes nobody.
. "$(dirname "$0")/lib.sh"

export PHONEVPN_DIR=$T/state
mac=000fd3006501
other=000fd3006001

phonevpn --quiet init --vpn-host vpn.example.com --url http://127.0.0.1:1 --ca-bits 2048 || bail_out "init"
phonevpn --quiet phone import "$SOURCE/doc/examples/fleet.csv" || bail_out "import"
echo secret >"$T/pass"
phonevpn --quiet phone set $mac --http-password-file "$T/pass"
phonevpn --quiet mint --all || bail_out "mint"
phonevpn --quiet revoke $other || bail_out "revoke"

# up NAME OPTION...: a server; $url is the phones', $admin the other.
up() {
	local name=$1
	shift
	spawn "$name" phonevpn serve --listen 127.0.0.1:0 --admin 127.0.0.1:0 "$@"
	ok "serve --admin $*" wait_until 10 printed "$name" '^admin on'
	url=$(sed -n 's/^listening on //p' "$T/$name.out")
	admin=$(sed -n 's/^admin on //p' "$T/$name.out")
}
# status OPTION... URL
status() {
	curl -sk -o "$T/body" -D "$T/head" -w '%{http_code}' "$@"
}
scrape() {
	curl -sS "$admin/metrics" >"$T/metrics"
}
# metric NAME[{LABELS}]: its value
metric() {
	awk -v name="$1" 'substr($0, 1, length(name) + 1) == name " " { print $NF }' "$T/metrics"
}

up first
is "healthz" "$(status "$admin/healthz")" 200
is "... says ok" "$(cat "$T/body")" ok
is "metrics" "$(status "$admin/metrics")" 200
like "... of the format that Prometheus reads" "$(cat "$T/head")" '^Content-Type: text/plain; version=0\.0\.4'
is "anything else: 404" "$(status "$admin/$mac.cfg")" 404
is "POST: 405" "$(status -d x=1 "$admin/healthz")" 405
is "the phones' server has neither" "$(status "$url/metrics"),$(status "$url/healthz")" 404,404

# ---- requests and logins ----
scrape
before=$(metric 'phonevpn_http_requests_total{route="config",status="200"}')
for _ in 1 2 3; do status --digest -u "$mac:secret" "$url/$mac.cfg" >"$T/codes"; done
status "$url/000000000000.cfg" >"$T/codes"
status --digest -u "$mac:wrong" "$url/$mac.cfg" >"$T/codes"
status --digest -u "nobody:wrong" "$url/$mac.cfg" >"$T/codes"
status --digest -u "$mac:secret" "$url/$other.cfg" >"$T/codes"
status -H 'Authorization: Digest username="x' "$url/$mac.cfg" >"$T/codes"
size=$(curl -sS --digest -u "$mac:secret" "$url/$mac.cfg" | wc -c)
counted() {
	scrape
	[ "$(metric 'phonevpn_http_requests_total{route="config",status="200"}')" = 4 ]
}
is "no request at first" "$before" 0
ok "four documents were sent" wait_until 10 counted
is "... and the generic one" "$(metric 'phonevpn_http_requests_total{route="generic",status="200"}')" 1
is "each digest login begins with a 401, and two did not get further" \
	"$(metric 'phonevpn_http_requests_total{route="config",status="401"}')" 9
is "two paths that are none" "$(metric 'phonevpn_http_requests_total{route="other",status="404"}')" 2
is "a wrong password" "$(metric 'phonevpn_http_login_failures_total{reason="wrong_password"}')" 1
is "an unknown user" "$(metric 'phonevpn_http_login_failures_total{reason="unknown_user"}')" 1
is "another phone's document" "$(metric 'phonevpn_http_login_failures_total{reason="other_phone"}')" 1
is "a broken login" "$(metric 'phonevpn_http_login_failures_total{reason="malformed"}')" 1
is "right logins" "$(metric phonevpn_http_logins_total)" 4
bytes=$(metric phonevpn_http_document_bytes_total)
ok "bytes of documents: four of these and a smaller one" test "$bytes" -gt $((4 * size)) -a "$bytes" -lt $((5 * size))

# ---- the fleet, by what other commands say of it ----
phonevpn --json phone list >"$T/list"
for state in offered "not minted" "turned down" revoked minted; do
	is "phones that are $state" "$(metric "phonevpn_phones{state=\"$state\"}")" \
		"$(jq --arg s "$state" '[.[] | select(.vpn == $s)] | length' "$T/list")"
done
phonevpn emit server --out "$T/server" >"$T/out" || bail_out "emit server"
is "when the CRL runs out, as openssl reads it" \
	"$(awk '/^phonevpn_crl_next_update_timestamp_seconds/ { print $NF }' "$T/metrics")" \
	"$(date -d "$(openssl crl -in "$T/server/crl.pem" -noout -nextupdate | cut -d= -f2)" +%s)"
is "... and the CA's end" "$(awk '/^phonevpn_ca_end_timestamp_seconds/ { print $NF }' "$T/metrics")" \
	"$(date -d "$(openssl x509 -in "$T/server/ca.crt" -noout -enddate | cut -d= -f2)" +%s)"
is "phones that were never on the VPN were not for 30 days either" \
	"$(awk '/^phonevpn_phones_unseen.*"30"/ { print $NF }' "$T/metrics")" \
	"$(awk '/^phonevpn_phones_never_on_vpn/ { print $NF }' "$T/metrics")"
is "when the OpenVPN server's certificate ends" "$(metric phonevpn_server_certificate_end_timestamp_seconds)" \
	"$(date -d "$(openssl x509 -in "$T/server/server.crt" -noout -enddate | cut -d= -f2)" +%s)"
phonevpn emit bundle $mac | sed -n '/<cert>/,/<\/cert>/p' | openssl x509 -noout -enddate >"$T/end"
is "when the first phone's certificate ends" "$(metric phonevpn_phone_certificate_first_end_timestamp_seconds)" \
	"$(date -d "$(cut -d= -f2 "$T/end")" +%s)"
is "none ends within 90 days" "$(metric 'phonevpn_phone_certificates_ending{days="90"}')" 0
is "the version" "$(metric "phonevpn_build_info{version=\"$(phonevpn --version | awk '{ print $2 }')\"}")" 1

# ---- rollouts, by what other commands say of them ----
is "no rollout" "$(metric 'phonevpn_rollouts{state="running"}'),$(metric 'phonevpn_rollout_phones{state="waiting"}'),$(metric phonevpn_rollouts_stalled)" 0,0,0

# ---- the process, by what ps says ----
now=$(date +%s)
started=$(metric process_start_time_seconds)
ok "when it started" test "${started%.*}" -ge $((now - $(ps -o etimes= -p "$(pid_of first)") - 2)) -a "${started%.*}" -le "$now"
ok "its memory" test "$(metric process_resident_memory_bytes)" -gt 1000000
is "most descriptors" "$(metric process_max_fds)" "$(awk '/^Max open files/ { print $5 }' "/proc/$(pid_of first)/limits")"
ok "descriptors that are open" test "$(metric process_open_fds)" -gt 5
exec 8<>"/dev/tcp/127.0.0.1/${url##*:}"
connected() {
	scrape
	[ "$(metric phonevpn_http_connections)" = 1 ]
}
ok "a connection that is open counts" wait_until 10 connected
exec 8>&-
unlike "no phone is named" "$(cat "$T/metrics")" "$mac|$other|secret"
# Each family has its HELP and TYPE before its samples, and each sample the format's shape.
is "every line has the format" "$(grep -vcE '^# (HELP [a-z_]+ .+|TYPE [a-z_]+ (counter|gauge))$|^[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.e+]+$' "$T/metrics")" 0
is "no sample twice" "$(grep -v '^#' "$T/metrics" | sed 's/ [^ ]*$//' | sort | uniq -d)" ""
if command -v promtool >"$T/out"; then
	ok "Prometheus' own check takes it" sh -c "promtool check metrics <'$T/metrics'"
else
	skip 1 "no promtool (package prometheus)"
fi

# ---- what keeps it from being healthy ----
mv "$PHONEVPN_DIR" "$T/away" # its handles stay: the database can be read
is "a folder that was moved under it: still healthy" "$(status "$admin/healthz")" 200
mv "$T/away" "$PHONEVPN_DIR"
port=${admin##*:}
ok "the admin port in use: conflict" fails_with 4 phonevpn serve --listen 127.0.0.1:0 --admin "127.0.0.1:$port"
like "... says which" "$(cat "$T/out" "$T/err")" "admin: 127.0.0.1:$port: already in use"
ok "an admin address that is none: usage" fails_with 2 phonevpn serve --listen 127.0.0.1:0 --admin nowhere
ok "it ends in order" stop first
unlike "no warning on loopback" "$(cat "$T/first.err")" 'warning: --admin'
# Before it starts: it counts at once then, and would move them on soon.
phonevpn --quiet rollout create spring --all --waves 1 || bail_out "rollout create"
phonevpn --quiet rollout start spring
phonevpn --quiet rollout step
phonevpn --quiet rollout pause spring
up rollouts
scrape
for state in draft running paused "done" aborted rolled-back; do
	is "rollouts that are $state" "$(metric "phonevpn_rollouts{state=\"$state\"}")" \
		"$(phonevpn --json rollout list | jq --arg s $state '[.[] | select(.state == $s)] | length')"
done
for state in waiting offered settled failed dropped rolled-back; do
	is "phones in them that are $state" "$(metric "phonevpn_rollout_phones{state=\"$state\"}")" \
		"$(phonevpn --json rollout status spring | jq --arg s $state '.all[$s]')"
done
is "some wait, and one is offered its generation" "$(phonevpn --json rollout status spring | jq -c '[.all.waiting > 0, .all.offered]')" '[true,1]'
stop rollouts
spawn open phonevpn --json serve --listen 127.0.0.1:0 --admin 0.0.0.0:0
ok "JSON says where" wait_until 10 printed open '"admin"'
like "... the URL" "$(jq -r .admin "$T/open.out")" '^http://0\.0\.0\.0:[0-9]+$'
like "a warning where others reach it" "$(cat "$T/open.err")" 'warning: --admin 0\.0\.0\.0:0'
stop open
done_testing
