#!/bin/bash
# SPDX-License-Identifier: ISC
#
# No rule of "check ovpn" is folklore: of each that is an error, a bundle that breaks it and nothing else keeps the
# reference phone off a VPN whose server takes the good one, and OpenVPN 2.6 as well where later versions are no more
# lenient. Our own bundles have no error and no warning. The reports are what programs can read.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/netns.sh"
. "$(dirname "$0")/webservers.sh"

"$SOURCE/tests/unit/check_ovpn_samples.sh" "$T/s" "$(date +%s)" "$NETNS_SERVER" 1194 >"$T/samples.log" 2>&1 || {
	diag <"$T/samples.log"
	bail_out samples
}
samples=$T/s/samples
chmod -R o= "$samples"

# ---- no false alarm ----
clean() {
	[ "$(phonevpn check ovpn --json "$@" | jq '[.errors, .warnings] | add')" -eq 0 ]
}
export PHONEVPN_DIR=$T/state
phonevpn init --vpn-host vpn.example.com --url http://127.0.0.1:1/prov --ca-bits 2048 >/dev/null &&
	phonevpn phone import "$SOURCE/doc/examples/fleet.csv" >/dev/null && phonevpn --quiet mint --all || bail_out fleet
for setting in vpn-proto=udp vpn-proto=tcp vpn-cipher=CAMELLIA-256-CBC vpn-auth=SHA256 vpn-lzo=yes vpn-server-check=ns-cert-type \
	vpn-remotes=b.example.com,192.0.2.9:443; do
	phonevpn config set "${setting%%=*}" "${setting#*=}" >/dev/null && phonevpn --quiet mint --all
	phonevpn emit bundle 000fd3006501 >"$T/own.ovpn" && chmod o= "$T/own.ovpn"
	ok "our own bundle has neither error nor warning: $setting" clean --model D65 --firmware 2_7_0 --strict "$T/own.ovpn"
done
ok "FreePBX's published configuration has neither" clean --model D65 "$samples/good--freepbx.ovpn"
ok "the vendor page's sample has neither" clean --model D65 "$samples/taken--vendor-sample.ovpn"
ok "no good sample has" clean "$samples"/good--*.ovpn

# ---- the command ----
good=$samples/good--plain.ovpn
bad=$samples/ovpn-key-mismatch--other.ovpn
warned=$samples/ovpn-cert-ending--leaf.ovpn
ok "a good file: 0" phonevpn check ovpn "$good"
truncate -s 100G "$T/huge.ovpn"
ok "a file that is too large: 5, and not all of it is read" fails_with 5 timeout 20 phonevpn --json check ovpn "$T/huge.ovpn"
is "... by its rule" "$(jq -r '.findings[] | .rule, .text' "$T/out")" "ovpn-size
expected 1 to 1048576 bytes, found more"
endless() {
	yes 'verb 3' | timeout 20 phonevpn --json check ovpn -
}
ok "standard input without an end, too" fails_with 5 endless
ok "an error: 5" fails_with 5 phonevpn check ovpn "$bad"
like "... with its place" "$(cat "$T/out")" "^$bad:[0-9]+: error: <key>: .* \[ovpn-key-mismatch\]$"
like "... what it does to the phone" "$(cat "$T/out")" '^    why: '
like "... and what to do" "$(cat "$T/out")" '^    fix: '
ok "several files: 5 for one" fails_with 5 phonevpn check ovpn "$good" "$bad" "$warned"
like "... counted" "$(tail -n 1 "$T/out")" '^3 files: 1 error, 1 warning, 0 notes$'
ok "a warning: 0" phonevpn check ovpn "$warned"
ok "... 5 with --strict" fails_with 5 phonevpn check ovpn --strict "$warned"
ok "... none with --days 1" phonevpn check ovpn --strict --days 1 "$warned"
ok "... an error when it has ended" fails_with 5 phonevpn check ovpn --at "$(date -u -d '+3 days' +%Y-%m-%d)" "$warned"
ok "standard input" fails_with 5 phonevpn check ovpn - <"$bad"
like "... by that name" "$(cat "$T/out")" '^stdin:[0-9]+: error'
cp "$good" "$T/readable.ovpn" && chmod 0644 "$T/readable.ovpn"
ok "a key that everybody can read" phonevpn check ovpn "$T/readable.ovpn"
like "... is a warning" "$(cat "$T/out")" 'warning: .*0644 \[ovpn-readable\]'
sed '/^<key>$/,/^<\/key>$/d' "$good" >"$T/readable.ovpn"
phonevpn check ovpn "$T/readable.ovpn" >"$T/out"
unlike "... a profile without a key may be read" "$(cat "$T/out")" ovpn-readable
ok "a file that is not there: 3" fails_with 3 phonevpn check ovpn "$good" "$T/none.ovpn"
is "... and nothing else is printed" "$(cat "$T/out")" ""
ok "a model that is none: 2" fails_with 2 phonevpn check ovpn --model D99 "$good"
ok "firmware without a model: 2" fails_with 2 phonevpn check ovpn --firmware 2_7_0 "$good"
ok "a format that is none: 2" fails_with 2 phonevpn check ovpn --format html "$good"
ok "a D40 has no OpenVPN: 5" fails_with 5 phonevpn check ovpn --model D40 "$good"
ok "old firmware does not take the file: 5" fails_with 5 phonevpn check ovpn --model D65 --firmware 2_6_6 "$good"
phonevpn check ovpn --quiet "$bad" >"$T/out"
is "--quiet: the findings alone" "$(wc -l <"$T/out")" 1

# ---- reports for programs ----
ok "JSON" fails_with 5 phonevpn check ovpn --json "$samples"/ovpn-*.ovpn
cp "$T/out" "$T/all.json"
ok "... of the documented form" jq -e '.schema == 1 and .ok == false and .left_off == 0 and
	(.errors == ([.findings[] | select(.severity == "error")] | length)) and
	all(.findings[]; (.rule | startswith("ovpn-")) and (.severity | IN("error", "warning", "note")) and
		(.file | type == "string") and (.line == null or .line >= 1) and ([.text, .title, .why, .fix] | all(length > 0)))' "$T/all.json"
ok "of a good file" phonevpn check ovpn --json "$good"
ok "... nothing" jq -e '.findings == [] and .ok and .errors == 0' "$T/out"
cp "$bad" "$T/a b%c.ovpn"
ok "SARIF" fails_with 5 phonevpn check ovpn --format sarif "$samples"/ovpn-*.ovpn "$T/a b%c.ovpn"
cp "$T/out" "$T/all.sarif"
# SARIF 2.1.0: 3.13.2 version, 3.19.23 rules with unique ids, 3.27.5 to 3.27.7 ruleId and ruleIndex, 3.27.10 level, 3.30.5 lines.
ok "... as the standard has it" jq -e '.version == "2.1.0" and (.["$schema"] | endswith("sarif-2.1.0.json")) and (.runs | length == 1) and
	(.runs[0] as $run | $run.tool.driver.rules as $rules |
	($run.tool.driver.name == "phonevpn") and ($rules | map(.id) | length == (unique | length)) and
	all($rules[]; (.shortDescription.text, .fullDescription.text, .help.text | length > 0) and (.defaultConfiguration.level | IN("error", "warning", "note"))) and
	($run.results | length > 100) and
	all($run.results[]; .ruleId == $rules[.ruleIndex].id and .level == $rules[.ruleIndex].defaultConfiguration.level and (.message.text | length > 0) and
		(.locations | length == 1) and (.locations[0].physicalLocation.artifactLocation.uri | test("^[-A-Za-z0-9._~/%]+$")) and
		(.locations[0].physicalLocation.region == null or .locations[0].physicalLocation.region.startLine >= 1)))' "$T/all.sarif"
ok "... a name with blanks is a URI reference" jq -e --arg uri "$T/a%20b%25c.ovpn" 'any(.runs[0].results[]; .locations[0].physicalLocation.artifactLocation.uri == $uri)' "$T/all.sarif"
is "the same findings in both" "$(jq -r '.runs[0].results[] | .ruleId' "$T/all.sarif" | head -n -1 | sort | uniq -c)" "$(jq -r '.findings[].rule' "$T/all.json" | sort | uniq -c)"
phonevpn check rules --json >"$T/rules.json"
is "check rules lists those of the report" "$(jq -r '.rules[].rule | select(startswith("ovpn-"))' "$T/rules.json")" "$(jq -r '.runs[0].tool.driver.rules[].id' "$T/all.sarif")"
is "... as text, too" "$(phonevpn check rules | grep -o '^ovpn-[a-z0-9-]*')" "$(jq -r '.rules[].rule | select(startswith("ovpn-"))' "$T/rules.json")"

# ---- each error keeps a phone off the VPN ----
why=$(netns_missing) && {
	skip 1 "$why"
	done_testing
	exit
}
{ netns_server && netns_phone d65; } || bail_out "namespaces"
mac=000fd3006501
mkdir "$T/www"
ok "nginx is up" web_in_netns d65
# server OPTION...
server() {
	[ -z "${spawned[vpn]-}" ] || stop vpn
	spawn vpn in_netns server openvpn --port 1194 --proto udp --dev tun --topology subnet --server 10.8.0.0 255.255.255.0 \
		--ca "$T/s/pki/two.crt" --cert "$T/s/pki/server.crt" --key "$T/s/pki/server.key" --dh none --keepalive 5 30 --verb 3 \
		--tls-version-min 1.0 --tls-cipher DEFAULT:@SECLEVEL=0 --data-ciphers AES-256-GCM:AES-256-CBC --auth SHA1 "$@"
	wait_until 20 printed vpn 'Initialization Sequence Completed'
}
# phone STATUS-PATTERN FILE OPTION...: the reference phone's exit status with that bundle
phone() {
	local expected=$1 status
	cp "$2" "$T/www/b.ovpn" && chmod o+r "$T/www/b.ovpn"
	shift 2
	printf '<config><setting id="network_default_enable_openvpn" value="1"/><setting id="openvpn_inline_config" url="%s" value="1" md5="%s"/></config>\n' \
		"http://$NETNS_SERVER/b.ovpn" "$(md5sum <"$T/www/b.ovpn" | cut -d' ' -f1)" >"$T/www/$mac.cfg"
	in_netns d65 refphone --mac $mac "${phone_is[@]}" --quiet verify --config-url "http://$NETNS_SERVER" --timeout 4 "$@" >"$T/v.json" 2>"$T/v.err"
	status=$?
	[[ $status =~ ^($expected)$ ]] && return
	echo "expected status $expected, found $status: $(jq -r .reason "$T/v.json")"
	return 1
}
phone_is=(--model D65 --firmware 2_7_0)
ok "a server" server
for name in plain crlf two-cas text-preamble setenv-opt; do
	ok "good: $name connects" phone 0 "$samples/good--$name.ovpn"
done

# What OpenVPN 2.6 takes, or has another limit for.
lenient=" ovpn-block-cut ovpn-block-indented ovpn-cert-kind ovpn-cipher-aead ovpn-cipher-unsupported ovpn-program ovpn-proto-directive ovpn-remote-family ovpn-remote-many ovpn-tls-cipher-command ovpn-tls-cipher-unsupported ovpn-too-new "
# modern FILE: OpenVPN 2.6 gives up with it, or is refused; it is ended otherwise
modern() {
	in_netns d65 timeout -k 1 4 openvpn --cd "$T/s/pki" --config "$1" --data-ciphers AES-256-CBC --connect-retry-max 1 \
		--hand-window 3 2>&1 | tr -d '\000' >"$T/modern.log"
	! grep -q 'Initialization Sequence Completed' "$T/modern.log" || return 1
	grep -qE 'Options error|Exiting due to fatal error|ERROR|TLS Error|rror: ' "$T/modern.log"
}

ok "good: OpenVPN 2.6 connects" fails_with 1 modern "$good"
like "... indeed" "$(cat "$T/modern.log")" 'Initialization Sequence Completed'
for rule in $(jq -r '.rules[] | select(.severity == "error") | .rule | select(startswith("ovpn-"))' "$T/rules.json"); do
	phone_is=(--model D65 --firmware 2_7_0)
	status='18|19|20|21'
	case $rule in
	ovpn-model)
		phone_is=(--model D40 --firmware 2_7_0)
		ok "$rule: keeps the phone off" phone 13 "$good"
		;;
	ovpn-firmware)
		phone_is=(--model D65 --firmware 2_6_6)
		ok "$rule: keeps the phone off" phone 13 "$good"
		;;
	*)
		file=$(printf '%s\n' "$samples/$rule"--*.ovpn | head -n 1)
		ok "$rule: keeps the phone off" phone "$status" "$file"
		[[ $lenient == *" $rule "* ]] || ok "$rule: OpenVPN 2.6 as well" modern "$file"
		;;
	esac
done
phone_is=(--model D65 --firmware 2_7_0)
ok "a server of the second CA" server --cert "$T/s/pki/server-other.crt" --key "$T/s/pki/server.key"
ok "... takes the good bundle with both" phone 0 "$samples/good--two-cas.ovpn"
ok "ovpn-block-cut: the CA behind the cut is not there" phone 20 "$samples/ovpn-block-cut--second-ca.ovpn"
ok "ovpn-pem-indented: nor the one that is indented" phone 20 "$samples/ovpn-pem-indented--second.ovpn"
ok "the server still lives" lives vpn
done_testing
