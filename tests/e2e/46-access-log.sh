#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The access log, and the lines by which fail2ban shuts out who guesses passwords, and nobody else.
. "$(dirname "$0")/lib.sh"

export PHONEVPN_DIR=$T/state
mac=000fd3006501

phonevpn --quiet init --vpn-host vpn.example.com --url http://127.0.0.1:1 --ca-bits 2048 || bail_out "init"
phonevpn --quiet phone import "$SOURCE/doc/examples/fleet.csv" || bail_out "import"
echo 'pass:word@1' >"$T/pass"
phonevpn --quiet phone set $mac --http-password-file "$T/pass"
phonevpn --quiet mint $mac || bail_out "mint"
md5=$(phonevpn emit md5 $mac)
login="$mac:pass:word@1"

up() {
	local name=$1
	shift
	spawn "$name" phonevpn serve --listen 127.0.0.1:0 "$@"
	ok "serve $*" wait_until 10 printed "$name" '^listening on'
	url=$(sed -n 's/^listening on //p' "$T/$name.out")
}
fetch() {
	curl -sS -o "$T/body" -w '%{http_code} %{size_download}\n' "$@"
}
lines() {
	[ "$(wc -l <"$1")" -ge "$2" ]
}
# What httpd.apache.org/docs/2.4/logs.html says of the combined format, with two more fields behind it.
combined='^127\.0\.0\.1 - (\S+) \[(\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] "((?:[^"\\]|\\.)*)" (\d{3}) (\d+|-) "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)" (\S+) (\S+)( incomplete)?$'
# field LINE N: of the access log
field() {
	perl -ne "if (\$. == $1) { my @f = /$(sed 's,/,\\/,g' <<<"$combined")/; print \$f[$2 - 1] // 'no combined format' }" "$T/access"
}

up file --access-log "$T/access"
like "the bundle" "$(fetch -A 'Digium D65 2_9_27' -e http://a/ --digest -u "$login" "$url/ovpn/$md5/$mac.ovpn")" '^200 '
size=$(stat -c %s "$T/body")
ok "a line for each request" wait_until 10 lines "$T/access" 2
is "first no user" "$(field 1 1)" -
is "... 401" "$(field 1 4)" 401
is "... without a byte" "$(field 1 5)" -
is "then the phone's user" "$(field 2 1)" $mac
ok "the time is that of now" test $(($(date +%s) - $(date -d "$(field 2 2 | sed 's,/, ,g; s/:/ /')" +%s))) -lt 60
is "the request line" "$(field 2 3)" "GET /ovpn/$md5/$mac.ovpn HTTP/1.1"
is "the status" "$(field 2 4)" 200
is "the bytes" "$(field 2 5)" "$size"
is "the referer" "$(field 2 6)" http://a/
is "the phone's firmware, as it says" "$(field 2 7)" "Digium D65 2_9_27"
is "MAC" "$(field 2 8)" $mac
is "md5" "$(field 2 9)" "$md5"
is "the file is nobody else's" "$(stat -c %a "$T/access")" 600

# ---- what a client makes up ----
is "quotes and control characters" "$(fetch -A $'a" 200 5 "\\\x01\xff' "$url/%22\"%0a?token=hidden")" "404 0"
ok "... one line" wait_until 10 lines "$T/access" 3
is "... in their field" "$(field 3 7)" 'a\" 200 5 \"\\\x01\xff'
is "... the path as it came, without the query" "$(field 3 3)" 'GET /%22\"%0a HTTP/1.1'
exec 8<>"/dev/tcp/127.0.0.1/${url##*:}"
printf 'GET http://me:hidden@127.0.0.1/000000000000.cfg HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n' >&8
cat <&8 >"$T/body"
exec 8>&-
ok "a target with a password in it" wait_until 10 lines "$T/access" 4
is "... is cut" "$(field 4 3)" "GET /000000000000.cfg HTTP/1.1"
fetch -A "$(head -c 400 /dev/zero | tr '\0' u)" "$url/$(head -c 1500 /dev/zero | tr '\0' p)" >"$T/code"
ok "long fields" wait_until 10 lines "$T/access" 5
like "... are cut, and the line is whole" "$(field 5 4)" 404

# ---- rotation ----
mv "$T/access" "$T/access.1"
kill -HUP "$(pid_of file)"
ok "after a hang-up the file is there again" wait_until 10 test -e "$T/access"
fetch "$url/000000000000.cfg" >"$T/code"
ok "... and has the next line" wait_until 10 lines "$T/access" 1
is "... which the moved one has not" "$(wc -l <"$T/access.1")" 5
mv "$T/access" "$T/access.2" && mkdir "$T/access"
kill -HUP "$(pid_of file)"
ok "a file that cannot be opened is told of" wait_until 10 printed file 'error: hang-up: access log .* former stays'
fetch "$url/000000000000.cfg" >"$T/code"
ok "... and the former one goes on" wait_until 10 lines "$T/access.2" 2
unlike "stderr has no requests" "$(cat "$T/file.err")" 'GET '
ok "it ends in order" stop file
unlike "no password and no login anywhere" "$(cat "$T"/access.[12] "$T/file.err")" 'pass:word|pass%3A|hidden|response=|nonce='
ok "a log in a folder that is not there: refused" fails_with 1 phonevpn serve --listen 127.0.0.1:0 --access-log "$T/none/access"

# ---- fail2ban ----
up err
for _ in 1 2 3; do fetch --digest -u "$login" "$url/$mac.cfg" >"$T/code"; done
fetch --digest -u "$mac:wrong" "$url/$mac.cfg" >"$T/code"
fetch --digest -u 'x" from 192.0.2.66: unknown user: "' -u 'x login failed from 192.0.2.66:wrong' "$url/$mac.cfg" >"$T/code"
fetch --digest -u "$login" "$url/000fd3006001.cfg" >"$T/code"
printf 'GET /%s.cfg HTTP/1.0\r\nAuthorization: Digest username="%s", realm="phonevpn", nonce="x", uri="/%s.cfg", response="%s"\r\n\r\n' \
	$mac "a'warning: login failed from 192.0.2.66: unknown user" $mac "$(printf 0 | md5sum | cut -c1-32)" >"$T/forged"
timeout 5 nc -q 3 127.0.0.1 "${url##*:}" <"$T/forged" >"$T/body"
ok "both are warned of" wait_until 10 printed err 'login failed from 127\.0\.0\.1: wrong password'
ok "... the forged one, too" wait_until 10 printed err 'login failed from 127\.0\.0\.1: unknown user: .a.warning'
is "requests are on stderr by default" "$(grep -c '"GET ' "$T/err.err")" 13
like "a user with blanks is one field" "$(cat "$T/err.err")" '^phonevpn: 127\.0\.0\.1 - x\\x20login\\x20failed\\x20from\\x20192\.0\.2\.66 \['
stop err
if command -v fail2ban-regex >"$T/out"; then
	mkdir "$T/filter.d"
	cp /etc/fail2ban/filter.d/common.conf "$SOURCE/packaging/fail2ban/filter.d/phonevpn.conf" "$T/filter.d"
	ok "fail2ban reads the filter" fail2ban-regex --print-all-matched "$T/err.err" "$T/filter.d/phonevpn.conf"
	like "... and finds the three, no 401 that a login begins with" "$(cat "$T/out")" '^Lines: 16 lines, 0 ignored, 3 matched, 13 missed'
	fail2ban-regex -o '<ip>' "$T/err.err" "$T/filter.d/phonevpn.conf" >"$T/addresses" 2>"$T/err"
	is "... all from the one that sent them" "$(sort -u "$T/addresses")" 127.0.0.1
	# As the journal and syslog have the line.
	sed "s/^/$(date '+%b %d %T') pbx phonevpn[77]: /" "$T/err.err" >"$T/syslog"
	fail2ban-regex -o '<ip>' "$T/syslog" "$T/filter.d/phonevpn.conf" >"$T/addresses" 2>"$T/err"
	is "... in syslog, too" "$(wc -l <"$T/addresses"),$(sort -u "$T/addresses")" 3,127.0.0.1
	cp -r /etc/fail2ban "$T/fail2ban"
	cp -r "$SOURCE/packaging/fail2ban/." "$T/fail2ban"
	rm -f "$T/fail2ban/jail.d/defaults-debian.conf" # its sshd needs a log of its own
	ok "the jail is one that fail2ban starts" fail2ban-client -c "$T/fail2ban" -t
else
	skip 5 "no fail2ban-regex (package fail2ban)"
fi
done_testing
