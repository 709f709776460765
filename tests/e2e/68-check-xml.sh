#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The rules of "check xml": each on a document that really fails, by the word of the reference phone that reads it; and
# none on what works.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/webservers.sh"

mac=000fd3006501
export PHONEVPN_DIR=$T/state
phonevpn --quiet init --vpn-host vpn.example.com --url https://pbx.example.com/phones --ca-bits 2048 || bail_out init
phonevpn --quiet phone import "$SOURCE/doc/examples/fleet.csv" || bail_out import
phonevpn --quiet mint $mac || bail_out mint
ok "nginx without a login is up" web_start open nginx none
ok "nginx with Basic is up" web_start locked nginx basic
phonevpn emit bundle $mac | tee "$T/open.www/b.ovpn" >"$T/locked.www/b.ovpn"
md5=$(md5sum <"$T/open.www/b.ovpn" | cut -d' ' -f1)
open=$(web_url open)
locked=http://127.0.0.1:${web_port[locked]}

enable='<setting id="network_default_enable_openvpn" value="1"/>'
admin='<setting id="login_password" value="4711"/>'
# bundle URL [MD5-ATTRIBUTE]
bundle() {
	printf '<setting id="openvpn_inline_config" url="%s" value="1" %s/>' "$1" "${2-md5=\"$md5\"}"
}
good=$(bundle "$open/b.ovpn")

# rules OPTION...: of severity error and warning for $T/x.cfg, but for those of plain http on the loopback
rules() {
	phonevpn --json check xml "$@" "$T/x.cfg" >"$T/x.json"
	jq -r '.findings[] | select(.severity != "note") | .rule' "$T/x.json" | grep -vE '^xml-url-(clear|loopback)$' |
		sort -u | tr '\n' ' ' | sed 's/ $//'
}
# verdict: what the reference phone makes of $T/x.cfg
verdict() {
	cp "$T/x.cfg" "$T/open.www/$mac.cfg"
	refphone --mac $mac --model "${model:-D65}" --firmware "${firmware:-2_9_27}" verify --no-connect --config-url "$open" \
		2>"$T/verify.err" | jq -r .verdict
}
# case WHAT RULE VERDICT DOCUMENT [OPTION...]: found, and it really fails
broken() {
	local what=$1 rule=$2 expected=$3
	printf '%s\n' "$4" >"$T/x.cfg"
	shift 4
	is "$what: found" "$(rules "$@")" "$rule"
	is "... and a phone with it: $expected" "$(verdict)" "$expected"
}
# fine WHAT DOCUMENT
fine() {
	printf '%s\n' "$2" >"$T/x.cfg"
	is "$1: nothing is found" "$(rules --model D65 --firmware 2_9_27)" ""
}

fine "a good document" "<config>$admin$enable$good</config>"
is "... and a phone comes up with it" "$(verdict)" ok

truncate -s 100G "$T/huge.cfg"
ok "a document that is too large is not read to its end" fails_with 5 timeout 20 phonevpn --json check xml "$T/huge.cfg"
is "... and that is found" "$(jq -r '.findings[] | .rule, .text' "$T/out")" "xml-size
expected XML of 1 to 1048576 bytes, found more"

# ---- each rule ----
broken "not well-formed" xml-syntax xml_bad "<config>$enable$good"
broken "a DOCTYPE" xml-doctype xml_bad "<!DOCTYPE config><config>$admin$enable$good</config>"
broken "an error page" xml-root xml_bad "<html><body>404</body></html>"
broken "a tag of 40 kB" xml-size xml_bad "<config><!-- $(head -c 40000 /dev/zero | tr '\0' x) -->$enable$good</config>"
broken "a switch that is a word" xml-switch-value xml_bad \
	"<config>$admin<setting id=\"network_default_enable_openvpn\" value=\"yes\"/>$good</config>"
broken "no switch" xml-enable-missing vpn_disabled "<config>$admin$good</config>"
broken "a misspelt switch" "xml-enable-missing xml-setting-misspelt" vpn_disabled \
	"<config>$admin<setting id=\"network_default_enable_open_vpn\" value=\"1\"/>$good</config>"
broken "a switch in a locale" "xml-enable-missing xml-setting-misplaced" vpn_disabled \
	"<config>$admin<locale id=\"de\">$enable</locale>$good</config>"
broken "no bundle" xml-bundle-missing md5_missing "<config>$admin$enable</config>"
broken "no md5" xml-md5-missing md5_missing "<config>$admin$enable$(bundle "$open/b.ovpn" "")</config>"
broken "an md5 that is none" xml-md5-malformed md5_mismatch \
	"<config>$admin$enable$(bundle "$open/b.ovpn" 'md5="abc123"')</config>"
broken "an md5 in upper case" xml-md5-case md5_mismatch \
	"<config>$admin$enable$(bundle "$open/b.ovpn" "md5=\"${md5^^}\"")</config>"
broken "value 0" xml-inline-value xml_bad "<config>$admin$enable${good/value=\"1\"/value=\"0\"}</config>"
broken "no URL" xml-url-missing xml_bad \
	"<config>$admin$enable<setting id=\"openvpn_inline_config\" value=\"1\" md5=\"$md5\"/></config>"
broken "no URL but a path" xml-url-syntax bundle_unreachable "<config>$admin$enable$(bundle /b.ovpn)</config>"
broken "ftp" xml-url-scheme bundle_unreachable "<config>$admin$enable$(bundle "ftp://127.0.0.1/b.ovpn")</config>"
broken "a password with a bare /" xml-url-encoding bundle_unreachable \
	"<config>$admin$enable$(bundle "${locked/:\/\//://phone:p%40ss/w:1@}/b.ovpn")</config>"
for bare in @ '#' '?' ' '; do
	broken "a password with a bare $bare" xml-url-encoding bundle_unreachable \
		"<config>$admin$enable$(bundle "${locked/:\/\//://phone:p%40ss${bare}w:1@}/b.ovpn")</config>"
done
# RFC 6761: no host has a name under "invalid".
broken "a password with a bare @ and a bare /, a URL of another host" xml-url-encoding bundle_unreachable \
	"<config>$admin$enable$(bundle "${locked/:\/\//://phone:p@invalid/w:1@}/b.ovpn")</config>"
broken "a password of digits and a bare /, a URL of another port" xml-url-encoding bundle_unreachable \
	"<config>$admin$enable$(bundle "${locked/:\/\//://invalid:12/w@}/b.ovpn")</config>"
broken "a password with a NUL" xml-url-syntax bundle_unreachable \
	"<config>$admin$enable$(bundle "${locked/:\/\//://phone:p%40ss%00@}/b.ovpn")</config>"
broken "a host with a bracket" xml-url-syntax bundle_unreachable \
	"<config>$admin$enable$(bundle "https://phone:p%40ss@[pbx]/b.ovpn")</config>"
model=D40
broken "a D40" xml-model vpn_unsupported "<config>$admin$enable$good</config>" --model D40
model=D65
firmware=2_6_6
broken "deprecated firmware" xml-firmware-deprecated vpn_unsupported "<config>$admin$enable$good</config>" \
	--model D65 --firmware 2_6_6
firmware=2_1_0
broken "older firmware" xml-firmware-old vpn_unsupported "<config>$admin$enable$good</config>" --model D65 --firmware 2_1_0
firmware=2_9_27
# RFC 5737's documentation network, which nobody has: as an address inside of a VPN that is not up.
broken "a bundle inside the VPN" xml-url-in-vpn bundle_unreachable \
	"<config>$admin$enable$(bundle "https://u:p@192.0.2.1/b.ovpn")</config>" --vpn-network 192.0.2.0/24

# ---- what cURL takes for an address ----
# tried URL: the address and port that cURL connects to, or nothing
tried() {
	curl -gsv --connect-timeout 2 "$1" 2>&1 | sed -n 's/^\* *Trying \(.*\)\.\.\.$/\1/p' | head -n 1
}
for host in 127.0.0.1 127.1 127.257 0x7f000001 2130706433 0177.0.0.1 0x7f.1 '[::ffff:127.0.0.1]' '[::ffff:7f00:1]' 127.0.0.256 \
	127.0.0.09 127..1 0x; do
	case $(tried "http://$host:1/") in
	*127.0.0.1* | *127.0.1.1*) expected=xml-url-in-vpn ;;
	*) expected= ;;
	esac
	printf '%s\n' "<config>$admin$enable$(bundle "https://user:pass@$host:1/b.ovpn")</config>" >"$T/x.cfg"
	is "$host: ${expected:-no address of the VPN}, as cURL has it" "$(rules --vpn-network 127.0.0.0/8)" "$expected"
done
is "cURL takes a port that is empty" "$(tried "http://127.0.0.1:/")" 127.0.0.1:80
fine "... and nothing is found" "<config>$admin$enable$(bundle "https://user:pass@127.0.0.1:/b.ovpn")</config>"
is "... and port 0, where nobody listens" "$(tried "http://127.0.0.1:0/")" 127.0.0.1:0
broken "... that" xml-url-syntax bundle_unreachable "<config>$admin$enable$(bundle "http://127.0.0.1:0/b.ovpn")</config>"

# ---- logins ----
printf '<config>%s%s%s</config>' "$admin" "$enable" "$(bundle "$locked/b.ovpn")" >"$T/x.cfg"
is "no login in the URL: noted" "$(phonevpn --json check xml "$T/x.cfg" | jq -r '.findings[] | select(.severity == "note") | .rule')" xml-url-login
is "... and a server that wants one refuses" "$(verdict)" login_refused
cp "$T/open.www/b.ovpn" "$T/open.www/a[1]|.ovpn"
printf '<config>%s%s%s</config>' "$admin" "$enable" "$(bundle "$open/a[1]|.ovpn")" >"$T/x.cfg"
is "characters that are none of a URL: a warning" "$(rules)" xml-url-bare
is "... which cURL takes" "$(verdict)" ok
fine "a login, percent-encoded" "<config>$admin$enable$(bundle "$(web_url locked)/b.ovpn")</config>"
is "... and a phone comes up with it" "$(verdict)" ok
is "plain http: a warning" "$(jq -r '[.findings[] | select(.rule == "xml-url-clear")] | length' "$T/x.json")" 1
unlike "no password is printed" "$(cat "$T/x.json")" 'p%40ss|p@ss'

# ---- no false alarm ----
phonevpn emit xml $mac >"$T/x.cfg"
is "our own XML with an https URL: no error and no warning" \
	"$(phonevpn --json check xml --model D65 --firmware 2_9_27 --vpn-network 10.8.0.0/16 "$T/x.cfg" | jq -c '[.errors, .warnings, .ok]')" "[0,0,true]"
phonevpn emit xml $mac --merge "$SOURCE/tests/data/xml/good/one-line.cfg" >"$T/x.cfg"
ok "... also with --strict, merged into another" phonevpn check xml --strict "$T/x.cfg"
cat >"$T/x.cfg" <<-XML
	<config>
	<setting id="network_default_enable_openvpn" value="1" />
	<setting id="openvpn_inline_config" url="https://user:pass@server.example.com/client.ovpn" value="1" md5="$md5" />
	<setting id="openvpn_logging" value="0" />
	</config>
XML
ok "the vendor's lines, with the md5 filled in" phonevpn check xml --strict "$T/x.cfg"

# ---- as a command ----
printf '<config>\n%s\n%s\n</config>\n' "$enable" "$(bundle https://u:p@h/x 'md5="abc123"')" >"$T/x.cfg"
ok "an error: status 5" fails_with 5 phonevpn check xml "$T/x.cfg"
like "... with file, line, element, text and rule" "$(cat "$T/out")" \
	"^$T/x.cfg:3: error: openvpn_inline_config: expected 32 lower-case hex digits, found \"abc123\" \[xml-md5-malformed\]$"
ok "standard input" fails_with 5 sh -c 'phonevpn --quiet check xml - <"$1"' - "$T/x.cfg"
ok "two files: the worse one counts" fails_with 5 phonevpn check xml "$T/open.www/$mac.cfg" "$T/x.cfg"
ok "a file that is not there: not found" fails_with 3 phonevpn check xml "$T/none.cfg"
ok "firmware without a model: usage" fails_with 2 phonevpn check xml --firmware 2_7_0 "$T/x.cfg"
for kind in "ovpn" "xml" "server --against $T/x.cfg"; do
	# shellcheck disable=SC2086 # words
	ok "check ${kind%% *}: a model that there is not: usage" fails_with 2 phonevpn check $kind --model D99 "$T/x.cfg"
	like "... with those that there are, and the one that was given" "$(cat "$T/err")" \
		'model: expected one of D40, D45, D50, D60, D62, D65, D70, D80, found "D99"$'
done
ok "a network that is none: usage" fails_with 2 phonevpn check xml --vpn-network 10.8.0.0 "$T/x.cfg"
phonevpn check xml --format sarif "$T/x.cfg" >"$T/x.sarif"
is "SARIF: version, rule, level and line" \
	"$(jq -r '[.version, (.runs[0].results[] | select(.level == "error") | .ruleId, .level, (.locations[0].physicalLocation.region.startLine | tostring))] | join(" ")' "$T/x.sarif")" \
	"2.1.0 xml-md5-malformed error 3"
is "... each result's index is that of its rule" \
	"$(jq '[.runs[0] as $r | $r.results[] | .ruleId == $r.tool.driver.rules[.ruleIndex].id] | all' "$T/x.sarif")" true
done_testing
