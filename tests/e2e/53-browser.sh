#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The phone's web page as an admin uses it: in headless Chromium, without JavaScript, by keyboard, on a small screen, and
# with another site open beside it. With KEEP=1 the screenshots stay.
. "$(dirname "$0")/lib.sh"

mac=000fd3006501
export PHONEVPN_DIR=$T/state
phonevpn --quiet init --vpn-host vpn.example.com --url http://127.0.0.1:1 --ca-bits 2048 || bail_out init
phonevpn --quiet phone import "$SOURCE/doc/examples/fleet.csv" || bail_out import
phonevpn --quiet mint $mac || bail_out mint
phonevpn emit bundle $mac >"$T/good.ovpn"
{
	echo "data-ciphers AES-256-GCM"
	cat "$T/good.ovpn"
} >"$T/bad.ovpn"

# Its version and hash are in the lock file; none of its scripts is run, and none of its browsers fetched.
mkdir "$T/browser"
cp "$SOURCE/tests/browser/package.json" "$SOURCE/tests/browser/package-lock.json" "$T/browser"
ok "npm gets playwright-core from its registry" timeout 120 npm --prefix "$T/browser" --cache "$T/npm" --no-audit --no-fund \
	--no-update-notifier ci --ignore-scripts || bail_out "npm: no playwright-core; the registry has to be reached"

xml=$T/$mac.cfg
echo '<config><setting id="network_default_enable_openvpn" value="0"/></config>' >"$xml"
port=$(free_port)
cat >"$T/nginx.conf" <<CONF
pid $T/nginx.pid; error_log $T/nginx.log; daemon off; worker_processes 1; user root;
events { worker_connections 64; }
http {
	access_log $T/access.log;
	client_body_temp_path $T/b; proxy_temp_path $T/p; fastcgi_temp_path $T/f; uwsgi_temp_path $T/u; scgi_temp_path $T/s;
	server { listen 127.0.0.1:$port; location = /$mac.cfg { alias $xml; } }
}
CONF
spawn nginx nginx -c "$T/nginx.conf"
ok "nginx is up" wait_until 10 curl -s -o "$T/probe" "http://127.0.0.1:$port"
spawn web refphone --state "$T/phone" --mac $mac --model D65 --firmware 2_9_27 web --config-url "http://127.0.0.1:$port/" \
	--listen 127.0.0.1:0 --no-connect
ok "a phone is switched on" wait_until 20 printed web 'listening on'
url=$(sed -n 's/^listening on //p' "$T/web.out")

# The browser's profile is in a folder of the script's own; the browser ends with the program that drives it.
mkdir "$T/shots" "$T/profile"
spawn browser env TMPDIR="$T/profile" HOME="$T/profile" XDG_CONFIG_HOME="$T/profile" XDG_CACHE_HOME="$T/profile" \
	node "$SOURCE/tests/browser/vpn.mjs" "$T/browser/node_modules" "$url" "$T/good.ovpn" "$T/bad.ovpn" "$T/shots"
ok "the browser comes to an end" wait_until 240 ended browser
joined browser
is "... and was content" $? 0
while IFS=$'\t' read -r result what why; do
	[ "$result" = pass ]
	tap_result $? "$what" || diag "$why"
done <"$T/browser.out"
is "all of its tests were run" "$(wc -l <"$T/browser.out")" 37
diag <"$T/browser.err"
ok "the phone is still on" lives web
is "four pictures were made" "$(cd "$T/shots" && echo *)" "refused-1024x768.png uploaded-1024x768.png vpn-1024x768.png vpn-390x844.png"
ok "SIGTERM switches it off" stop web
done_testing
