#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The bytes of a bundle are the same wherever they come out, and the md5 in the XML is theirs: a phone that finds another
# one throws the file away and says nothing.
. "$(dirname "$0")/lib.sh"

export PHONEVPN_DIR=$T/state
phones="000fd3006001 000fd3006201 000fd3006501 000fd3008001"

ok "init" phonevpn init --vpn-host vpn.example.com --url http://127.0.0.1:1/prov --ca-bits 2048
ok "import" phonevpn phone import "$SOURCE/doc/examples/fleet.csv"
printf 'p@ss:w/rd %%&"<>\303\244' >"$T/odd"
ok "a password with every awkward character" phonevpn phone set 000fd3006501 --http-password-file "$T/odd"
ok "mint" phonevpn mint --all
spawn serve phonevpn serve --listen 127.0.0.1:0
ok "serve" wait_until 10 printed serve 'listening on'
url=$(sed -n 's/^listening on //p' "$T/serve.out")
ok "the phones' URL" phonevpn config set url "$url/prov"

# setting FILE ID ATTRIBUTE, as libxml2's own program reads it
setting() {
	xmllint --xpath "string(/config/setting[@id='$2']/@$3)" "$1"
}

# Everything agrees about a phone's bundle. The URL's login is the one that curl --digest uses.
agree() {
	local mac=$1 when=$2 bundle_url
	phonevpn emit bundle "$mac" >"$T/$mac.ovpn"
	phonevpn emit xml "$mac" >"$T/$mac.xml"
	bundle_url=$(setting "$T/$mac.xml" openvpn_inline_config url)
	echo "$bundle_url" >"$T/$mac.url.$when"
	echo "url = \"$bundle_url\"" >"$T/curl.conf"
	ok "$mac $when: curl fetches by the XML's URL" curl -fsS --digest -K "$T/curl.conf" -o "$T/$mac.served"
	ok "$mac $when: served bytes are the emitted ones" same_bytes "$T/$mac.served" "$T/$mac.ovpn"
	is "$mac $when: md5sum agrees with the XML" "$(md5sum <"$T/$mac.served" | cut -d' ' -f1)" "$(setting "$T/$mac.xml" openvpn_inline_config md5)"
	is "$mac $when: and with emit md5" "$(phonevpn emit md5 "$mac")" "$(setting "$T/$mac.xml" openvpn_inline_config md5)"
	is "$mac $when: value is 1" "$(setting "$T/$mac.xml" openvpn_inline_config value)" 1
	is "$mac $when: enabled" "$(setting "$T/$mac.xml" network_default_enable_openvpn value)" 1
	is "$mac $when: no logging" "$(setting "$T/$mac.xml" openvpn_logging value)" 0
	cp "$T/$mac.ovpn" "$T/$mac.ovpn.$when"
}
for mac in $phones; do agree "$mac" first; done
# Well-formed even with the awkward password, and the login is percent-encoded.
like "the odd password is percent-encoded" "$(cat "$T/000fd3006501.url.first")" ':p%40ss%3Aw%2Frd%20%25%26%22%3C%3E%C3%A4@'
unlike "no secret of a phone is on the server's log" "$(cat "$T/serve.err")" "p%40ss|p@ss|Authorization|response="

ok "mint again changes nothing" phonevpn mint --all
for mac in $phones; do is "$mac: same md5" "$(phonevpn emit md5 "$mac")" "$(md5sum <"$T/$mac.ovpn.first" | cut -d' ' -f1)"; done
ok "mint --renew" phonevpn mint --all --renew
for mac in $phones; do
	agree "$mac" second
	ok "$mac: the new bundle is another one" fails_with 1 cmp -s "$T/$mac.ovpn.first" "$T/$mac.ovpn.second"
	echo "url = \"$(cat "$T/$mac.url.first")\"" >"$T/curl.conf"
	ok "$mac: yesterday's URL still answers" curl -fsS --digest -K "$T/curl.conf" -o "$T/$mac.yesterday"
	ok "$mac: with yesterday's bytes" same_bytes "$T/$mac.yesterday" "$T/$mac.ovpn.first"
done
certificate() {
	awk '/<cert>/ { on = 1 } on { print } /<\/cert>/ { on = 0 }' "$1"
}
ok "a new port" phonevpn config set vpn-port 1195
ok "... mint" phonevpn mint --all
for mac in $phones; do
	agree "$mac" third
	is "$mac: a new profile keeps the certificate" "$(certificate "$T/$mac.ovpn.third")" "$(certificate "$T/$mac.ovpn.second")"
	ok "$mac: ... and has the port" grep -q '^remote vpn.example.com 1195$' "$T/$mac.ovpn.third"
done

# ---- what the vendor's page and the old client want of the file ----
f=$T/000fd3006501.ovpn
for directive in client 'dev tun' 'proto udp' 'resolv-retry infinite' nobind 'remote-cert-tls server' 'cipher AES-256-CBC' 'auth SHA1' 'auth-retry nointeract' 'verb 3'; do
	ok "the bundle says: $directive" grep -qx "$directive" "$f"
done
ok "no line over 255 bytes" fails_with 1 grep -qE '.{256}' "$f"
ok "one <ca> block" test "$(grep -c '^<ca>$' "$f")" -eq 1
ok "no carriage return" fails_with 1 grep -q $'\r' "$f"
ok "bare PEM" test -z "$(sed -n '/^<ca>/,$p' "$f" | grep -vE '^(</?(ca|cert|key)>|-----(BEGIN|END) (CERTIFICATE|PRIVATE KEY)-----|[A-Za-z0-9+/=]{1,64})$')"
phonevpn config set vpn-proto tcp
phonevpn config set vpn-lzo yes
phonevpn config set vpn-server-check ns-cert-type
phonevpn config set vpn-remotes b.example.com,192.0.2.9:443
phonevpn --quiet mint --all
phonevpn emit bundle 000fd3006501 >"$f"
for directive in 'proto tcp-client' comp-lzo 'ns-cert-type server' 'remote b.example.com 1195' 'remote 192.0.2.9 443'; do
	ok "on request: $directive" grep -qx "$directive" "$f"
done

# ---- the admin's own document ----
cat >"$T/own.xml" <<'XML'
<?xml version="1.0" encoding="ISO-8859-1"?>
<!-- kitchen -->
<config>
  <setting id="time_zone" value="Europe/Berlin"/>
  <setting id='openvpn_inline_config' url="https://old/" value="1" md5="abc123"/>
  <setting id="idle_company_text" value="A &amp; B &lt;C&gt;"/>
  <accounts><account index="0" status="1"><host_primary server="192.0.2.1" port="5060"/></account></accounts>
</config>
XML
ok "merge" phonevpn emit xml 000fd3006501 --merge "$T/own.xml"
cp "$T/out" "$T/merged.xml"
is "the md5 is in it" "$(setting "$T/merged.xml" openvpn_inline_config md5)" "$(phonevpn emit md5 000fd3006501)"
ours="setting[@id='network_default_enable_openvpn' or @id='openvpn_inline_config' or @id='openvpn_logging']"
is "the three settings stand there once each" "$(xmllint --xpath "count(/config/$ours)" "$T/merged.xml")" 3
is "everything else is untouched" "$(xmllint --xpath "/config/*[not(self::$ours)]" "$T/merged.xml")" "$(xmllint --xpath "/config/*[not(self::$ours)]" "$T/own.xml")"
ok "the comment too" grep -q '<!-- kitchen -->' "$T/merged.xml"
mkdir "$T/base"
echo "<config><!DOCTYPE" >"$T/not.xml"
echo "<phone/>" >"$T/root.xml"
printf '<?xml version="1.0"?>\n<!DOCTYPE config [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n<config><setting id="a" value="1"/>&x;</config>\n' >"$T/external.xml"
{
	printf '<?xml version="1.0"?>\n<!DOCTYPE config [<!ENTITY a "ha">\n'
	prev=a
	for n in b c d e f g h i j; do printf '<!ENTITY %s "&%s;&%s;&%s;&%s;&%s;&%s;&%s;&%s;">\n' "$n" $prev $prev $prev $prev $prev $prev $prev $prev; prev=$n; done
	printf ']>\n<config><setting id="x" value="&j;"/></config>\n'
} >"$T/laughs.xml"
for file in not root external laughs; do
	ok "$file.xml is refused" fails_with 1 timeout 10 phonevpn emit xml 000fd3006501 --merge "$T/$file.xml"
	like "... by name" "$(cat "$T/err")" "$T/$file.xml"
	is "... with nothing printed" "$(head -n 1 "$T/out" | grep -c '<')" 0
done
ok "a file that is not there: 3" fails_with 3 phonevpn emit xml 000fd3006501 --merge "$T/none.xml"

# ---- the tree for a plain web server ----
ok "export" phonevpn export --out "$T/tree"
for mac in $phones; do
	md5=$(setting "$T/tree/$mac.cfg" openvpn_inline_config md5)
	is "$mac: the tree's bundle has the XML's md5" "$(md5sum <"$T/tree/ovpn/$md5/$mac.ovpn" | cut -d' ' -f1)" "$md5"
done
is "eight documents and the generic one" "$(find "$T/tree" -maxdepth 1 -name '*.cfg' | wc -l)" 9
ok "all of it is the owner's alone" test -z "$(find "$T/tree" -perm /077)"
unlike "a D40's document has no VPN in it" "$(cat "$T/tree/000fd3004001.cfg")" openvpn
unlike "the generic one has no secret" "$(cat "$T/tree/000000000000.cfg")" "@|password|md5"
# ---- what is not served any more leaves the tree ----
phonevpn --quiet revoke 000fd3006201
phonevpn --quiet phone remove 000fd3006001
echo mine >"$T/tree/robots.txt"
ok "export again" phonevpn export --out "$T/tree" --mode 0640
is "no bundle of a revoked or a removed phone is left" "$(find "$T/tree" -name '000fd3006[02]01.ovpn')" ""
is "... nor the removed phone's document" "$(find "$T/tree" -name '000fd3006001.cfg')" ""
ok "... the others stay" test "$(find "$T/tree" -name '000fd3006501.ovpn' | wc -l)" -ge 1
ok "... and what is not ours" test -e "$T/tree/robots.txt"
is "--mode 0640: a group's web server can read the files" "$(stat -c %a "$T/tree/000fd3006501.cfg")" 640
ok "... and enter the folders of a new tree" phonevpn export --out "$T/shared" --mode 0640
is "... which are" "$(stat -c %a "$T/shared" "$T/shared/ovpn" | tr '\n' ' ')" "750 750 "
ok "the server still lives" lives serve
ok "... and ends in order" stop serve
done_testing
