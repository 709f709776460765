#!/bin/bash
# SPDX-License-Identifier: ISC
#
# A fleet of phones at once, with every fault, against web servers that are not ours, with each kind of login, and
# against ours: each phone comes to what its fault lets expect, and a phone that does not is reported.
. "$(dirname "$0")/lib.sh"

phones=300
export PHONEVPN_DIR=$T/state
phonevpn --quiet init --vpn-host vpn.example.com --url http://127.0.0.1:1 --ca-bits 2048 || bail_out init
{
	echo mac,model,http_password
	for ((i = 1; i <= 14; i++)); do
		printf '000fd350%04x,D65,pass:word@%d\n' "$i" "$i"
	done
	echo '000fd3600001,D40,"quo""ted, and more"'
} >"$T/ours.csv"
phonevpn --quiet phone import "$T/ours.csv" || bail_out import
phonevpn --quiet mint --all || bail_out mint
mkdir "$T/www"
phonevpn emit bundle 000fd3500001 >"$T/www/phone.ovpn"
md5=$(md5sum <"$T/www/phone.ovpn" | cut -d' ' -f1)

# ---- the same fleet for all static servers: one bundle, an XML and a login for each phone ----
plain_port=$(free_port)
basic_port=$(free_port)
digest_port=$(free_port)
# tree PORT: the documents of a server on that port. The phones' logins go from the base URL into the bundle's.
tree() {
	local i mac
	mkdir "$T/$1"
	cp "$T/www/phone.ovpn" "$T/$1"
	for ((i = 1; i <= phones; i++)); do
		printf -v mac '000fd340%04x' "$i"
		cat >"$T/$1/$mac.cfg" <<-XML
			<config>
			<setting id="network_default_enable_openvpn" value="1"/>
			<setting id="openvpn_inline_config" url="http://$mac:pw-$i@127.0.0.1:$1/phone.ovpn" value="1" md5="$md5"/>
			</config>
		XML
	done
}
tree "$plain_port"
tree "$basic_port"
tree "$digest_port"
{
	printf '\xef\xbb\xbfmodel,MAC,label,http_password\r\n'
	for ((i = 1; i <= phones; i++)); do
		printf 'D65,00:0f:d3:40:%02x:%02x,"Desk %d, left",pw-%d\r\n' $((i / 256)) $((i % 256)) "$i" "$i"
		printf '000fd340%04x:pw-%d\n' "$i" "$i" >>"$T/users.basic"
		printf '000fd340%04x:phones:%s\n' "$i" \
			"$(printf '000fd340%04x:phones:pw-%d' "$i" "$i" | md5sum | cut -d' ' -f1)" >>"$T/users.digest"
	done
} >"$T/fleet.csv"
tr -d "\r" <"$T/fleet.csv" | sed "1s/.*/model,mac/; 2,\$s/,\"Desk.*//" >"$T/nologin.csv"

cat >"$T/nginx.conf" <<CONF
pid $T/nginx.pid; error_log $T/nginx.log; daemon off; worker_processes 1; user root;
events { worker_connections 1024; }
http {
	access_log $T/access.log;
	client_body_temp_path $T/b; proxy_temp_path $T/p; fastcgi_temp_path $T/f; uwsgi_temp_path $T/u; scgi_temp_path $T/s;
	server { listen 127.0.0.1:$plain_port; root $T/$plain_port; }
}
CONF
# lighttpd_conf PORT METHOD BACKEND USERS
lighttpd_conf() {
	cat <<-CONF
		server.modules = ("mod_auth", "mod_authn_file")
		server.bind = "127.0.0.1"
		server.port = $1
		server.document-root = "$T/$1"
		auth.backend = "$3"
		auth.backend.$3.userfile = "$T/$4"
		auth.require = ("/" => ("method" => "$2", "realm" => "phones", "require" => "valid-user"))
	CONF
}
lighttpd_conf "$basic_port" basic plain users.basic >"$T/basic.conf"
lighttpd_conf "$digest_port" digest htdigest users.digest >"$T/digest.conf"
spawn nginx nginx -c "$T/nginx.conf"
spawn basic lighttpd -D -f "$T/basic.conf"
spawn digest lighttpd -D -f "$T/digest.conf"
for port in "$plain_port" "$basic_port" "$digest_port"; do
	ok "a web server is up" wait_until 10 curl -s -o "$T/probe" "http://127.0.0.1:$port/"
done

# fleet STATUS CSV OPTION...: its report is in $T/fleet.json
fleet() {
	local expected=$1 csv=$2 status
	shift 2
	refphone --json fleet --from "$csv" "$@" >"$T/fleet.json" 2>"$T/fleet.err"
	status=$?
	[ "$status" -eq "$expected" ] || {
		echo "expected status $expected, found $status"
		cat "$T/fleet.json" "$T/fleet.err"
		return 1
	}
}
report() {
	jq -r "$1" "$T/fleet.json"
}
# of FAULT: its phones by verdict
of() {
	report ".faults[] | select(.fault == \"$1\") | .verdicts | to_entries | map(\"\(.value) \(.key)\") | join(\", \")"
}

# ---- nginx, no login ----
ok "nginx: all phones boot" fleet 0 "$T/nologin.csv" --config-url "http://127.0.0.1:$plain_port" --concurrency 50
is "... all of them" "$(report '"\(.done) \(.provisioned) \(.verdicts.ok) \(.requests) \(.unexpected)"')" "300 300 300 600 0"
is "... 50 connections at once" "$(report .connections_max)" 50
is "... the server saw each document once" "$(awk '{ print $7 }' "$T/access.log" | grep -c cfg)" 300
ok "... times in order" jq -e '.time_to_provisioned | .p50 > 0 and .p50 <= .p90 and .p90 <= .p99 and .p99 <= .max' \
	"$T/fleet.json"
is "... the bytes are those of the files" "$(report .bytes)" \
	$(($(cat "$T/$plain_port"/*.cfg | wc -c) + phones * $(stat -c %s "$T/www/phone.ovpn")))

ok "nginx: with faults" fleet 0 "$T/nologin.csv" --config-url "http://127.0.0.1:$plain_port" --concurrency 100 \
	--fault cut=5%,slow=1%,corrupt=10,wrong-clock=5%,factory-reset=0.5%
is "... none" "$(of none)" "255 ok"
is "... cut: and then up" "$(of cut)" "15 ok"
is "... slow: up" "$(of slow)" "3 ok"
is "... corrupt: not installed" "$(of corrupt)" "10 md5_mismatch"
is "... wrong clock: up" "$(of wrong-clock)" "15 ok"
is "... factory reset: up" "$(of factory-reset)" "2 ok"
is "... cut and reset cost requests" "$(report .requests)" $((600 + 15 * 2 + 2))
is "... the slow ones are the last" "$(report '.time_to_provisioned.max >= 0.5')" true

ok "... the same seed, the same phones" fleet 0 "$T/nologin.csv" --config-url "http://127.0.0.1:$plain_port" --phones \
	--fault corrupt=7 --seed 3
report '.fleet[] | select(.fault == "corrupt") | .mac' >"$T/seed3"
fleet 0 "$T/nologin.csv" --config-url "http://127.0.0.1:$plain_port" --phones --fault corrupt=7 --seed 3
is "... again" "$(report '.fleet[] | select(.fault == "corrupt") | .mac')" "$(cat "$T/seed3")"
ok "phones may share connections" fleet 0 "$T/nologin.csv" --config-url "http://127.0.0.1:$plain_port" --concurrency 20 \
	--share-connections
is "... all of them" "$(report .verdicts.ok)" 300

# ---- what must be noticed ----
mv "$T/$plain_port/000fd3400007.cfg" "$T/gone.cfg"
sed -i "s/$md5/00000000000000000000000000000000/" "$T/$plain_port/000fd3400008.cfg"
ok "a phone without XML, one with another md5: status 5" fleet 5 "$T/nologin.csv" \
	--config-url "http://127.0.0.1:$plain_port"
is "... both are named" "$(report '[.failures[] | "\(.mac) \(.verdict)"] | sort | join(", ")')" \
	"000fd3400007 xml_unreachable, 000fd3400008 md5_mismatch"
mv "$T/gone.cfg" "$T/$plain_port/000fd3400007.cfg"
sed -i "s/00000000000000000000000000000000/$md5/" "$T/$plain_port/000fd3400008.cfg"
ok "a server that asks for no login takes a wrong one: status 5" fleet 5 "$T/fleet.csv" \
	--config-url "http://127.0.0.1:$plain_port" --fault wrong-password=2,stale-nonce=3
is "... as it is" "$(of wrong-password)" "2 ok"
is "... and there is no nonce" "$(report '.faults[] | select(.fault == "stale-nonce") | .unexpected')" 3
ok "nobody listens: status 5" fleet 5 "$T/nologin.csv" --config-url "http://127.0.0.1:$(free_port)"
is "... each phone says so" "$(report .verdicts.xml_unreachable)" 300
is "... and why" "$(report '[.failures[].reason | test("onnect")] | unique | join(",")')" true
ok "no such host: status 5" fleet 5 "$T/nologin.csv" --config-url http://phones.invalid/ --concurrency 300
is "... each phone says why" "$(report '[.failures[].reason | test("resolve host: phones.invalid")] | unique | join(",")')" true
ok "a login fault without a login: usage" fails_with 2 refphone fleet --from "$T/nologin.csv" \
	--config-url "http://127.0.0.1:$plain_port" --fault wrong-password=1
ok "more faults than phones: usage" fails_with 2 refphone fleet --from "$T/nologin.csv" \
	--config-url "http://127.0.0.1:$plain_port" --fault cut=60%,slow=41%
ok "no URL: usage" fails_with 2 refphone fleet --from "$T/nologin.csv"
printf 'mac,model\n000fd3400001,D65\n000fd3400001,D65\nx,D65\n000fd3400002,D99\n' >"$T/bad.csv"
ok "bad rows: nothing boots" fails_with 1 refphone fleet --from "$T/bad.csv" --config-url "http://127.0.0.1:$plain_port"
is "... each is named with its line" "$(grep -oE 'line [0-9]+' "$T/err" | sort -u | tr '\n' ' ')" "line 2 line 3 line 4 line 5 "

# ---- lighttpd, Basic ----
ok "lighttpd, Basic" fleet 0 "$T/fleet.csv" --config-url "http://127.0.0.1:$basic_port" --concurrency 100 \
	--fault cut=10,wrong-password=20,slow=2,corrupt=10,wrong-clock=10,factory-reset=10
is "... none" "$(of none)" "238 ok"
is "... a wrong password is refused" "$(of wrong-password)" "20 login_refused"
is "... corrupt" "$(of corrupt)" "10 md5_mismatch"
is "... a 401 in front of each document" "$(report .requests)" $((4 * (phones - 20) + 2 * 20 + 4 * 10 + 2 * 10))
ok "lighttpd, Basic without being asked" fleet 0 "$T/fleet.csv" --config-url "http://127.0.0.1:$basic_port" --auth basic
is "... no 401" "$(report .requests)" 600

# ---- lighttpd, Digest ----
every=cut=10,wrong-password=10,stale-nonce=10,slow=2,corrupt=10,wrong-clock=10,factory-reset=10
ok "lighttpd, Digest: every fault" fleet 0 "$T/fleet.csv" --config-url "http://127.0.0.1:$digest_port" \
	--concurrency 100 --fault $every
is "... none" "$(of none)" "238 ok"
is "... cut" "$(of cut)" "10 ok"
is "... wrong password" "$(of wrong-password)" "10 login_refused"
is "... a stale nonce is forgiven" "$(of stale-nonce)" "10 ok"
is "... factory reset" "$(of factory-reset)" "10 ok"
ok "no request failed at lighttpd" lives digest

# ---- ours ----
spawn serve phonevpn serve --listen 127.0.0.1:0
wait_until 10 printed serve 'listening on' || bail_out serve
phonevpn config set url "$(sed -n 's/^listening on //p' "$T/serve.out")"
phonevpn emit fleet >"$T/emitted.csv"
is "emit fleet: every phone" "$(grep -c '^000fd3' "$T/emitted.csv")" 15
is "... quoted where it must be" "$(grep -c quo%22ted%2C%20and%20more "$T/emitted.csv")" 1
ok "phonevpn serve: every fault, and a phone without VPN" fleet 0 "$T/emitted.csv" --concurrency 1000 \
	--fault cut=1,wrong-password=1,stale-nonce=2,slow=1,corrupt=1,wrong-clock=2,factory-reset=1
is "... none" "$(of none)" "5 ok"
is "... no VPN" "$(of 'none, no VPN')" "1 vpn_unsupported"
is "... wrong password" "$(of wrong-password)" "1 login_refused"
is "... stale nonce" "$(of stale-nonce)" "2 ok"
is "... wrong clock" "$(of wrong-clock)" "2 ok"
ok "... and the server lives" lives serve
ok "a pipe, as text" bash -c 'phonevpn emit fleet | refphone fleet --from - --concurrency 5'
like "... the table" "$(cat "$T/out")" '^none +14 +ok +14 ok +0'
like "... the times" "$(cat "$T/out")" '^14 provisioned, time to that: p50 [0-9.]+ s, p90 [0-9.]+ s, p99 [0-9.]+ s, max'
is "nothing but data, and no password, on a pipe" "$(grep -c 'pass' "$T/out" "$T/err" | cut -d: -f2 | tr '\n' ' ')" "0 0 "

# ---- stopped ----
: >"$T/access.log"
spawn endless refphone --json fleet --from "$T/nologin.csv" --config-url "http://127.0.0.1:$plain_port" --concurrency 1 \
	--fault slow=100%
ok "a fleet that would take minutes is at work" wait_until 10 grep -q . "$T/access.log"
stop endless INT
is "Ctrl-C: status 1" "$?" 1
is "... and it says what was done" "$(jq -r '"\(.stopped) \(.done < 300)"' "$T/endless.out")" "true true"
ok "nginx lives" lives nginx
done_testing
