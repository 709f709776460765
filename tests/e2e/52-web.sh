#!/bin/bash
# SPDX-License-Identifier: ISC
#
# A phone that is left on: its web page by the real curl, check-sync, the debug archive by the real tar, and one real
# tunnel whose address the page shows.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/netns.sh"

mac=000fd3006501
export PHONEVPN_DIR=$T/state
phonevpn --quiet init --vpn-host "$NETNS_SERVER" --url http://127.0.0.1:1 --ca-bits 2048 || bail_out init
phonevpn --quiet phone import "$SOURCE/doc/examples/fleet.csv" || bail_out import
phonevpn --quiet mint $mac || bail_out mint
phonevpn emit bundle $mac >"$T/one.ovpn"
phonevpn --quiet mint $mac --renew || bail_out renew
phonevpn emit bundle $mac >"$T/two.ovpn"
md5() {
	md5sum <"$1" | cut -d' ' -f1
}

# ---- a web server that is not ours ----
mkdir "$T/www"
port=$(free_port)
cat >"$T/nginx.conf" <<CONF
pid $T/nginx.pid; error_log $T/nginx.log; daemon off; worker_processes 1; user root;
events { worker_connections 64; }
http {
	access_log $T/access.log;
	client_body_temp_path $T/b; proxy_temp_path $T/p; fastcgi_temp_path $T/f; uwsgi_temp_path $T/u; scgi_temp_path $T/s;
	server { listen 127.0.0.1:$port; root $T/www; }
}
CONF
spawn nginx nginx -c "$T/nginx.conf"
ok "nginx is up" wait_until 10 curl -s -o "$T/probe" "http://127.0.0.1:$port"
# xml ENABLE FILE [MORE]: what the phone will read
xml() {
	cp "$T/$2.ovpn" "$T/www/b.ovpn"
	printf '<config><setting id="network_default_enable_openvpn" value="%s"/>%s<setting id="openvpn_inline_config" url="%s" value="1" md5="%s"/></config>\n' \
		"$1" "${3-}" "http://127.0.0.1:$port/b.ovpn" "$(md5 "$T/$2.ovpn")" >"$T/www/$mac.cfg"
}

# on STATE MODEL FIRMWARE [OPTION...]: the phone is switched on; $url is its page's server.
on() {
	local state=$1 model=$2 firmware=$3
	shift 3
	printf 'http://desk:s3cret@127.0.0.1:%s/' "$port" >"$T/url"
	spawn web refphone --state "$T/$state" --mac $mac --model "$model" --firmware "$firmware" web --config-url-file "$T/url" \
		--listen 127.0.0.1:0 "$@"
	wait_until 20 printed web 'listening on' || return 1
	url=$(sed -n 's/^listening on //p' "$T/web.out")
}
password=789
# http STATUS CURL-ARGUMENT...: the answer has that status; it is in $T/body and $T/head.
http() {
	local expected=$1 found
	shift
	found=$(curl -sS -o "$T/body" -D "$T/head" -w '%{http_code}' --max-time 30 "$@" 2>"$T/curl.err")
	[ "$found" = "$expected" ] && return 0
	echo "expected HTTP $expected, found $found: $(cat "$T/curl.err")"
	head -c 2000 "$T/body"
	return 1
}
page() {
	curl -s -u "admin:$password" "$url/vpn"
}
token() {
	page | sed -n 's/.*name="token" value="\([0-9a-f]*\)".*/\1/p' | head -n 1
}
# form STATUS CURL-ARGUMENT...: sent as the page sends it.
form() {
	local expected=$1
	shift
	http "$expected" -u "admin:$password" -F "token=$(token)" "$@" "$url/vpn"
}
stored() {
	jq -c '[.local.on, .local.enable, .local.md5]' "$T/phone/state.json"
}
# unchanged WHAT: the phone has what it had at remember
remember() {
	(cd "$T/phone" && md5sum state.json bundle-* 2>/dev/null) >"$T/remembered"
}
unchanged() {
	is "$1" "$(cd "$T/phone" && md5sum state.json bundle-* 2>/dev/null)" "$(cat "$T/remembered")"
}
menu() {
	refphone --state "$T/phone" --json status | jq -r .menu
}

# ---- the login ----
xml 0 one
ok "a phone is switched on" on phone D65 2_9_27 --no-connect
like "... its boot is told" "$(cat "$T/web.out")" "^done +settings +VPN disabled"
ok "no login" http 401 "$url/vpn"
like "... says how" "$(cat "$T/head")" '^WWW-Authenticate: Basic realm="'
ok "a wrong password" http 401 -u admin:12-wrong-34 "$url/vpn"
ok "... is logged" wait_until 5 printed web "127.0.0.1: a wrong login to /vpn"
unlike "... but not what it was" "$(cat "$T/web.err")" "12-wrong-34|Basic"
ok "a wrong user" http 401 -u root:789 "$url/vpn"
ok "an empty password" http 401 -u admin: "$url/vpn"
ok "a login of another kind" http 401 -H "Authorization: Bearer 789" "$url/vpn"
ok "admin with 789, as from the factory" http 200 -u admin:789 "$url/vpn"
like "... the page says that the VPN is off" "$(cat "$T/body")" "id=.vpn.>Disabled"
for field in "Content-Security-Policy: default-src 'none'" "frame-ancestors 'none'" "X-Frame-Options: DENY" \
	"X-Content-Type-Options: nosniff" "Cache-Control: no-store" "Referrer-Policy: same-origin"; do
	like "... with $field" "$(cat "$T/head")" "$field"
done
unlike "... and without any script" "$(cat "$T/body")" "<script|javascript:| on[a-z]+="

# ---- places and methods ----
ok "/ sends on" http 302 "$url/"
like "... to the page" "$(cat "$T/head")" '^Location: /vpn.?$'
ok "the style sheet" http 200 "$url/vpn.css"
ok "no such place" http 404 -u admin:789 "$url/vpn/"
ok "none of another folder" http 404 -u admin:789 --path-as-is "$url/cgi-bin/../../etc/passwd"
ok "HEAD" http 200 -I -u admin:789 "$url/vpn"
ok "a method that the page does not take" http 405 -u admin:789 -X DELETE "$url/vpn"
like "... says which it takes" "$(cat "$T/head")" "^Allow: GET, HEAD, POST"
ok "the archive takes no form" http 405 -u admin:789 -F a=b "$url/cgi-bin/ptsr"
ok "a GET with a body" http 413 -u admin:789 -X GET -d a=b "$url/vpn"
ok "a form of another kind" http 415 -u admin:789 -d "action=revert" "$url/vpn"
ok "a form without a boundary" http 400 -u admin:789 -H "Content-Type: multipart/form-data" -d a=b "$url/vpn"
ok "another name for the phone (DNS rebinding)" http 421 -u admin:789 -H "Host: evil.example" "$url/vpn"
ok "localhost is the phone" http 200 -u admin:789 -H "Host: localhost:${url##*:}" "$url/vpn"
ok "a notice is no place for somebody's words" http 200 -u admin:789 "$url/vpn?notice=%3Cb%3Ehello"
unlike "... they do not show" "$(cat "$T/body")" "hello|role=.status"

# ---- other sites ----
remember
ok "a form without the token" http 403 -u admin:789 -F action=submit -F enable=1 "$url/vpn"
ok "... with a wrong one" http 403 -u admin:789 -F token="$(printf %064d 0)" -F action=submit -F enable=1 "$url/vpn"
like "... says that nothing was changed" "$(cat "$T/body")" "Nothing was changed"
ok "... with the right one, of another origin" form 403 -H "Origin: http://evil.example" -F action=submit -F enable=1
ok "... of an origin that hides" form 403 -H "Origin: null" -F action=submit -F enable=1
ok "... of another port" form 403 -H "Origin: http://127.0.0.1:1" -F action=submit -F enable=1
ok "... of a site that the browser calls another" form 403 -H "Sec-Fetch-Site: cross-site" -F action=submit -F enable=1
ok "... without a login" http 401 -F token="$(token)" -F action=submit -F enable=1 "$url/vpn"
ok "a form without an action" form 400 -F enable=1
ok "... with a field twice" form 400 -F action=submit -F action=revert
ok "... with a field that the page does not have" form 400 -F action=submit -F x=y
ok "... cut in the middle" http 400 -u admin:789 -H "Content-Type: multipart/form-data; boundary=bound" \
	--data-binary $'--bound\r\nContent-Disposition: form-data; name="token"\r\n\r\n'"$(token)"$'\r\n--bound\r\nContent-Disposition: form-data; name="act' "$url/vpn"
unchanged "none of them has changed anything"

# ---- enable, upload, delete, revert ----
ok "the page's own origin" form 303 -H "Origin: $url" -H "Sec-Fetch-Site: same-origin" -F action=submit -F enable=1 -F "file=;filename="
like "... sends on to the page, with a notice" "$(cat "$T/head")" '^Location: /vpn\?notice=saved'
is "... the VPN is enabled" "$(stored)" '[true,true,""]'
is "... as the screen shows" "$(menu)" true
ok "disable" form 303 -F action=submit
is "... it is" "$(stored)" '[true,false,""]'
ok "upload a file" form 303 -F action=submit -F "file=@$T/two.ovpn"
is "... it is stored" "$(stored)" "[true,false,\"$(md5 "$T/two.ovpn")\"]"
ok "... byte for byte" same_bytes "$T/two.ovpn" "$T/phone/bundle-$(md5 "$T/two.ovpn").ovpn"
ok "... and the server's stays beside it" same_bytes "$T/one.ovpn" "$T/phone/bundle-$(md5 "$T/one.ovpn").ovpn"
like "... the page shows its md5 and size" "$(page)" "id=.uploaded.>$(stat -c %s "$T/two.ovpn") bytes, md5 <code>$(md5 "$T/two.ovpn")</code>"
like "... and the notice" "$(curl -s -u admin:789 "$url/vpn?notice=uploaded")" "role=.status.>File checked and stored"
remember
{
	echo "data-ciphers AES-256-GCM"
	cat "$T/one.ovpn"
} >"$T/modern.ovpn"
ok "a file that the phone's OpenVPN cannot run" form 422 -F action=submit -F enable=1 -F "file=@$T/modern.ovpn"
like "... is refused with the reason" "$(cat "$T/body")" "Refused: .*line 1: data-ciphers"
unchanged "... what was there stays"
sed 's,</ca>,,' "$T/one.ovpn" >"$T/cut.ovpn"
ok "a file without an end of a block" form 422 -F action=submit -F "file=@$T/cut.ovpn"
unlike "... no reason shows a part of it" "$(cat "$T/body")" "BEGIN|MII"
printf '<b>"x" & y</b> \033[31m\377\n' >"$T/evil.ovpn"
ok "a file with markup in it" form 422 -F action=submit -F "file=@$T/evil.ovpn"
unlike "... none shows" "$(cat "$T/body")" "<b>"
: >"$T/empty.ovpn"
ok "an empty file" form 422 -F action=submit -F "file=@$T/empty.ovpn"
head -c 1048577 /dev/zero >"$T/large.ovpn"
ok "a file of one byte too many" form 413 -F action=submit -F "file=@$T/large.ovpn"
head -c 3000000 /dev/zero >"$T/large.ovpn"
ok "... of 3 MB: the reason comes when it is sent" form 413 -H Expect: -F action=submit -F "file=@$T/large.ovpn"
like "... on the page" "$(cat "$T/body")" "at most 1 MiB"
ok "... without a length" form 413 -H Expect: -H "Transfer-Encoding: chunked" -F action=submit -F "file=@$T/large.ovpn"
head -c 64000000 /dev/zero >"$T/large.ovpn"
ok "... of 64 MB, with a client that asks first" form 413 -H "Expect: 100-continue" -F action=submit -F "file=@$T/large.ovpn"
ok "... with one that does not, and sends no length" fails_with 1 form 413 -H Expect: -H "Transfer-Encoding: chunked" -F action=submit -F "file=@$T/large.ovpn"
rm "$T/large.ovpn"
ok "the phone is still on" lives web
unchanged "... what was there stays"
# in_pieces FILE: the form with that file, byte by byte
in_pieces() {
	local part='--bound\r\nContent-Disposition: form-data; name='
	{
		printf %b "$part"'"token"\r\n\r\n'"$(token)"'\r\n'"$part"'"enable"\r\n\r\n1\r\n'"$part"'"action"\r\n\r\nsubmit\r\n'
		printf %b "$part"'"file"; filename="a"\r\n\r\n'
		cat "$1"
		printf '\r\n--bound--\r\n'
	} >"$T/form"
	{
		printf 'POST /vpn HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nAuthorization: Basic %s\r\n' "${url#http://}" \
			"$(printf 'admin:%s' "$password" | base64)"
		printf 'Content-Type: multipart/form-data; boundary=bound\r\nContent-Length: %s\r\n\r\n' "$(stat -c %s "$T/form")"
		cat "$T/form"
	} | perl -MIO::Socket::INET -MSocket=TCP_NODELAY,IPPROTO_TCP -e '
		my $s = IO::Socket::INET->new(PeerAddr => shift) or die;
		setsockopt($s, IPPROTO_TCP, TCP_NODELAY, 1);
		local $/; my $all = <STDIN>;
		syswrite($s, $_) for split //, $all;
		print <$s>' "${url#http://}" >"$T/head"
	grep -q '^HTTP/1.1 303' "$T/head"
}
ok "a form that comes byte by byte" in_pieces "$T/one.ovpn"
is "... is the same form" "$(stored)" "[true,true,\"$(md5 "$T/one.ovpn")\"]"
ok "... and back" form 303 -F action=submit -F "file=@$T/two.ovpn"
ok "delete the file" form 303 -F action=delete
like "... with a notice" "$(cat "$T/head")" 'notice=deleted'
is "... it is gone, the switch stays" "$(stored) $(ls "$T"/phone/bundle-*)" "[true,false,\"\"] $T/phone/bundle-$(md5 "$T/one.ovpn").ovpn"
ok "delete it again" form 303 -F action=delete
like "... there is none" "$(cat "$T/head")" 'notice=no-file'

# ---- check-sync ----
ok "the local switch and file" form 303 -F action=submit -F enable=1 -F "file=@$T/one.ovpn"
boots() {
	grep -c '^done *find' "$T/web.out"
}
more_boots() {
	[ "$(boots)" -gt "$before" ] && grep -q '^[a-z]* *vpn ' <(tail -n 1 "$T/web.out")
}
# resync: a check-sync, waited for
resync() {
	before=$(boots)
	kill -HUP "$(pid_of web)" && wait_until 20 more_boots
}
xml 0 two '<setting id="login_password" value="4711"/>'
ok "SIGHUP boots the phone again" resync
is "... the server's new file is installed" "$(jq -r .md5 "$T/phone/state.json")" "$(md5 "$T/two.ovpn")"
is "... the local override wins" "$(stored)" "[true,true,\"$(md5 "$T/one.ovpn")\"]"
is "... over the server's switch, too" "$(menu)" true
ok "the XML's login_password counts" http 200 -u admin:4711 "$url/vpn"
ok "... and the old one no longer" http 401 -u admin:789 "$url/vpn"
password=4711
ok "revert" form 303 -F action=revert
is "... to the server's settings" "$(stored) $(menu)" '[false,false,""] false'
ok "... the uploaded file is gone" test ! -e "$T/phone/bundle-$(md5 "$T/one.ovpn").ovpn"

# ---- somebody else at work ----
locked() {
	! flock -n "$T/phone/lock" true
}
hold() {
	spawn holder flock --no-fork "$T/phone/lock" sleep 60
	wait_until 10 locked
}
ok "another one holds the phone" hold
remember
ok "a change has to wait" form 503 -F action=submit -F enable=1
like "... says when to come again" "$(cat "$T/head")" "^Retry-After: [0-9]"
like "... and why" "$(cat "$T/body")" "busy"
unchanged "... nothing was changed"
ok "the page shows all the same" http 200 -u admin:$password "$url/vpn"
before=$(boots)
kill -HUP "$(pid_of web)"
stop holder
ok "a check-sync was waited for" wait_until 20 more_boots
follows() {
	grep -c 'not connected' "$T/web.out"
}
more_follows() {
	[ "$(follows)" -gt "$before" ]
}
ok "another one again" hold
before=$(follows)
kill -USR1 "$(pid_of web)" # what the page's thread does after a change
ok "the tunnel cannot follow a change yet" wait_until 10 printed web "a change on the page has to wait"
stop holder
ok "... and follows it then" wait_until 10 more_follows
ok "a phone that is on cannot be switched on twice" fails_with 4 refphone --state "$T/phone" web --listen 127.0.0.1:0
ok "the screen can be looked at meanwhile" refphone --state "$T/phone" status

# ---- the debug archive ----
key=$(sed -n '/BEGIN PRIVATE KEY/,/END PRIVATE KEY/p' "$T/one.ovpn")
printf '%s\n' "2026-11-23 21:44:39 OpenVPN 2.6" "$key" "MANAGEMENT: CMD 'password \"Auth\" hunter2'" \
	"auth-user-pass hunter2" "fetching https://desk:hunter2@pbx.example.com/x" \
	"2026-11-23 21:44:40 VERIFY OK: depth=0, CN=server" >"$T/phone/openvpn.log"
ok "the archive wants the login" http 401 "$url/cgi-bin/ptsr"
ok "... and comes with it" http 200 -u admin:$password "$url/cgi-bin/ptsr"
like "... as a file of that name" "$(cat "$T/head")" "^Content-Disposition: attachment; filename=\"refphone-$mac.tar.gz\""
is "... which tar reads" "$(tar tzf "$T/body" | tr '\n' ' ')" "refphone-$mac/settings.json refphone-$mac/status.json refphone-$mac/openvpn.log "
mkdir "$T/archive"
ok "... and unpacks" tar xzf "$T/body" -C "$T/archive"
is "... for the owner only" "$(find "$T/archive/refphone-$mac" -type f ! -perm 600)" ""
ok "... JSON is JSON" jq -e '.mac and (.local.on == false)' "$T/archive/refphone-$mac/settings.json"
like "... the log is there" "$(cat "$T/archive/refphone-$mac/openvpn.log")" "VERIFY OK: depth=0, CN=server"
unlike "... no private key is" "$(cat "$T/archive/refphone-$mac/"*)" "PRIVATE KEY|$(sed -n 2p <<<"$key" | cut -c1-20)"
unlike "... no password is" "$(cat "$T/archive/refphone-$mac/"*)" "hunter2|s3cret|4711"
like "... and where the configuration comes from" "$(cat "$T/archive/refphone-$mac/settings.json")" "http://127.0.0.1:$port/"

# ---- reset, and off ----
ok "an override, and a factory reset" form 303 -F action=submit -F enable=1 -F "file=@$T/one.ovpn"
reset() {
	wait_until 10 refphone --state "$T/phone" --quiet factory-reset
}
ok "... while the phone is on" reset
is "... wipes it" "$(stored) $(find "$T/phone" -name 'bundle-*')" '[false,false,""] '
ok "... the password is the factory's again" http 200 -u admin:789 "$url/vpn"
password=789
ok "SIGTERM switches it off" stop web
unlike "no secret was printed" "$(cat "$T/web.out" "$T/web.err")" "s3cret|hunter2|4711|PRIVATE"
is "the phone's folder is its owner's alone" "$(find "$T/phone" -perm /077)" ""

# ---- a file is checked at the phone's clock ----
password=4711
ok "a phone of the year 2099" on late D65 2_9_27 --no-connect --clock 2099-01-01
ok "... refuses a file whose certificate has expired by then" form 422 -F action=submit -F "file=@$T/one.ovpn"
like "... and says so" "$(cat "$T/body")" "Refused: .*(expire|valid|notAfter)"
ok "SIGINT switches it off as well" stop web INT
password=789

# ---- phones without the page ----
for row in "D80 2_8_0 not.known" "D40 2_9_26 has.no.OpenVPN" "D65 2_5_0 from.firmware.2_7_0"; do
	read -r model firmware words <<<"$row"
	ok "a $model with $firmware is switched on" on "other-$model" "$model" "$firmware" --no-connect
	ok "... which remarks" printed web "no page at /vpn: .*$words"
	ok "... and has no page" http 404 -u admin:789 "$url/vpn"
	like "... it says why" "$(cat "$T/body")" "$words"
	stop web
done

# ---- servers that keep a phone waiting ----
hang=$(free_port)
spawn silent nc -l -k 127.0.0.1 "$hang"
rm -rf "$T/other"
spawn web refphone --state "$T/other" --mac $mac --model D65 --firmware 2_9_27 web --config-url "http://127.0.0.1:$hang/" --listen 127.0.0.1:0
ok "a phone whose server never answers" wait_until 10 printed web '^done +find'
STOP_LIMIT=5
ok "... can be switched off" stop web
stop silent
ok "a port that is taken" fails_with 4 refphone --state "$T/other" web --listen "127.0.0.1:$port" --no-connect --config-url "http://127.0.0.1:$port"
mkdir -m 755 "$T/foreign"
ok "a folder that is not a phone's" fails_with 4 refphone --state "$T/foreign" --mac $mac --model D65 --firmware 2_9_27 web --no-connect
is "... is left as it was" "$(ls -A "$T/foreign")" ""
ok "an address that is none" fails_with 2 refphone --state "$T/other" web --listen nowhere
unset STOP_LIMIT
stop nginx

# ---- a real tunnel ----
tunnel_tests=16
if why=$(netns_missing); then
	skip $tunnel_tests "$why"
	done_testing
	exit
fi
{ netns_server && netns_phone desk; } || bail_out "namespaces"
phonevpn --quiet emit server --out "$T/server" || bail_out "emit server"
spawn openvpn in_netns server openvpn --cd "$T/server" --config server.conf
ok "the server" wait_until 20 printed openvpn 'Initialization Sequence Completed'
spawn nginx2 in_netns desk nginx -c "$T/nginx.conf"
xml 0 two
rm -rf "$T/phone"
printf 'http://127.0.0.1:%s/' "$port" >"$T/url"
in_desk() {
	in_netns desk curl -s "http://127.0.0.1:$port" -o /dev/null
}
ok "the phone's web server" wait_until 10 in_desk
spawn web in_netns desk refphone --state "$T/phone" --mac $mac --model D65 --firmware 2_9_27 web --config-url-file "$T/url" \
	--listen 127.0.0.1:0
ok "a phone, with the VPN disabled" wait_until 20 printed web 'listening on'
url=$(sed -n 's/^listening on //p' "$T/web.out")
curl() {
	in_netns desk curl "$@"
}
like "the page shows no address" "$(page)" 'id="address">None<'
ok "enabled on the page" form 303 -F action=submit -F enable=1
shows() {
	page | grep -q "$1"
}
ok "... at once disabled, while the tunnel is being started" form 303 -F action=submit
ok "... and enabled" form 303 -F action=submit -F enable=1
ok "... the page shows the VPN address" wait_until 30 shows 'id="address">10\.8\.'
ok "... and a blue shield" shows 'Blue: the VPN is up'
address=$(page | sed -n 's/.*id="address">\([0-9.]*\)<.*/\1/p')
ok "... it is the phone's" in_netns server ping -q -c 2 -i 0.2 -W 5 "$address"
openvpn_pid() {
	cat "$T/phone/openvpn.pid" 2>/dev/null
}
first=$(openvpn_pid)
restarted() {
	[ -n "$(openvpn_pid)" ] && [ "$(openvpn_pid)" != "$first" ] && shows 'Blue: the VPN is up'
}
kill -HUP "$(pid_of web)"
ok "a check-sync that finds nothing new restarts the tunnel all the same" wait_until 40 restarted
kill -KILL "$(openvpn_pid)"
ok "an openvpn that ends by itself is noticed" wait_until 10 printed web "openvpn was ended by signal 9"
ok "... and the page shows red" wait_until 10 shows 'Red: the VPN is not up'
ok "the soft key brings it up again" wait_until 30 in_netns desk refphone --state "$T/phone" --quiet connect
last=$(openvpn_pid)
ok "SIGTERM ends the phone" stop web
is "... and its openvpn" "$(ip netns pids "$(netns_name desk)" | grep -cx "$last")" 0
done_testing
