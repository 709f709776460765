# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# What the two scripts of the vendor's page share: a phone at a web server, and conditions that say what they expected
# and what they found. Sourced behind lib.sh and webservers.sh.
#
#	page_state vpn.example.com || bail_out "no fleet"
#	page_serve || bail_out serve
#	server=nginx
#	publish "$(enable 0)$(inline one)"
#	row "a sentence of the page" function_that_proves_it
#
# $server is a name that web_start knows, or "serve": phonevpn serve. There the tested phone was never minted, so that it
# gets the document of --base-dir as it is, and the files are the generations of another phone, by that one's login.

mac=000fd3006501
page_donor=000fd3006001
model=D65
firmware=2_7_0
server=
timeout=20
page_www=$T/www # of all servers
declare -A page_md5=()
mkdir "$page_www"

# A generation of the donor under a name.
page_bundle() {
	phonevpn --quiet mint $page_donor "${@:2}" && phonevpn emit bundle $page_donor >"$page_www/$1.ovpn" && made "$1"
}

# made FILE: FILE.ovpn is in $page_www, and will not change any more.
made() {
	local sum
	read -r sum _ < <(md5sum "$page_www/$1.ovpn")
	page_md5[$1]=$sum
}

# page_state HOST: a fleet, and one.ovpn and two.ovpn.
page_state() {
	export PHONEVPN_DIR=$T/state
	phonevpn --quiet init --vpn-host "$1" --url http://127.0.0.1:1 --ca-bits 2048 &&
		phonevpn --quiet phone import "$SOURCE/doc/examples/fleet.csv" &&
		page_bundle one && page_bundle two --renew
}

page_serve() {
	spawn serve phonevpn serve --listen 127.0.0.1:0 --base-dir "$page_www"
	wait_until 10 printed serve 'listening on' || return 1
	phonevpn config set url "$(sed -n 's/^listening on //p' "$T/serve.out")" &&
		phonevpn emit url $mac >"$T/serve.url" && page_donor_url=$(phonevpn emit url $page_donor)
}

# page_web NAME SERVER LOGIN: as web_start.
page_web() {
	ln -s "$page_www" "$T/$1.www" && web_start "$@" && web_url "$1" >"$T/$1.url"
}

# On a plain server each file is there under its own name.
url_of() {
	if [ "$server" = serve ]; then
		echo "${page_donor_url}ovpn/${page_md5[$1]}/$page_donor.ovpn"
	else
		echo "$(<"$T/$server.url")/$1.ovpn"
	fi
}

enable() {
	echo "<setting id=\"network_default_enable_openvpn\" value=\"$1\" />"
}

logging() {
	echo "<setting id=\"openvpn_logging\" value=\"$1\" />"
}

# inline FILE [FILE]: the URL of the first, and the md5 of the second, else of the same.
inline() {
	echo "<setting id=\"openvpn_inline_config\" url=\"$(url_of "$1")\" value=\"1\" md5=\"${page_md5[${2:-$1}]}\" />"
}

# publish SETTINGS: this is the phone's configuration from now on.
publish() {
	printf '<?xml version="1.0" encoding="UTF-8"?>\n<config>\n%s\n</config>\n' "$1" >"$page_www/$mac.cfg"
}

# expect WHAT FOUND EXPECTED
expect() {
	[ "$2" = "$3" ] && return 0
	echo "$1: expected $3, found $2"
	return 1
}

forget() {
	rm -f "$T/attempt"
	if [ "$server" = serve ]; then
		logged serve
		: >"$T/serve.err"
	else
		web_forget "$server"
	fi
}

# A stand-in for openvpn that notes what it was given, and ends: so one sees whether the phone tries to connect.
page_stand_in() {
	mkdir -p "$T/stand-in"
	printf '#!/bin/sh\ncat >"$T/attempt"\nexit 1\n' >"$T/stand-in/openvpn"
	chmod 755 "$T/stand-in/openvpn"
	export PATH="$T/stand-in:$PATH"
}

phone() {
	refphone --state "$T/phone" "$@"
}

# The classes of "refphone verify", by exit status.
declare -A page_verdict=([0]=ok [1]=failed [10]=xml_unreachable [11]=login_refused [12]=xml_bad [13]=vpn_unsupported
	[14]=vpn_disabled [15]=md5_missing [16]=md5_mismatch [17]=bundle_unreachable [18]=bundle_bad [19]=certificate_bad
	[20]=vpn_refused [21]=vpn_timeout)

# boots VERDICT [OPTION...]: the document is in $T/boot.json.
boots() {
	local verdict=$1 status
	shift
	forget
	phone --mac $mac --model $model --firmware $firmware verify --config-url-file "${url_file:-$T/$server.url}" \
		--timeout "$timeout" "$@" >"$T/boot.json" 2>"$T/boot.err"
	status=$?
	expect verdict "${page_verdict[$status]-status $status}" "$verdict" && return 0
	jq -r '.steps[] | .outcome + " " + .step + " " + .reason' "$T/boot.json"
	cat "$T/boot.err"
	return 1
}

# A phone that has one.ovpn, with the VPN disabled; made once a server.
provisioned() {
	rm -rf "$T/phone"
	if [ ! -e "$T/$server.phone" ]; then
		publish "$(enable 0)$(inline one)"
		boots vpn_disabled && holds one || return 1
		cp -a "$T/phone" "$T/$server.phone"
	else
		cp -a "$T/$server.phone" "$T/phone"
	fi
}

# asked FILE COUNT: how often the server handed the file out in the last boot. "serve" tells another way.
asked() {
	local found
	if [ "$server" = serve ]; then
		logged serve
		found=$(grep -c "\"GET [^ ]*\.ovpn HTTP/1.1\" 200 .* $page_donor ${page_md5[$1]}\$" "$T/serve.err")
	else
		found=$(web_requests "$server" "/$1.ovpn" 200)
	fi
	expect "answers with $1.ovpn" "$found" "$2"
}

# asked_xml COUNT
asked_xml() {
	local found
	if [ "$server" = serve ]; then
		logged serve
		found=$(grep -c "\"GET [^ ]*\.cfg HTTP/1.1\" 200 .* $mac -\$" "$T/serve.err")
	else
		found=$(web_requests "$server" "/$mac.cfg" 200)
	fi
	expect "answers with the XML" "$found" "$1"
}

# holds FILE|nothing: what is stored on the phone is byte for byte that, and that alone.
holds() {
	local files=("$T"/phone/*.ovpn)
	if [ "$1" = nothing ]; then
		[ ! -e "${files[0]}" ] && return 0
		echo "expected no file stored, found ${files[*]}"
		return 1
	fi
	expect "files stored" "${#files[@]}" 1 && cmp -- "$page_www/$1.ovpn" "${files[0]}"
}

# tries FILE|nothing: openvpn was started, with the certificate of that file, or not started.
tries() {
	if [ "$1" = nothing ]; then
		[ ! -e "$T/attempt" ] && return 0
		echo "expected no attempt to connect, found one"
		return 1
	fi
	[ -e "$T/attempt" ] || {
		echo "expected an attempt to connect, found none"
		return 1
	}
	expect "certificate given to openvpn" "$(cert_in "$T/attempt")" "$(cert_in "$page_www/$1.ovpn")"
}

cert_in() {
	local text
	text=$(<"$1")
	text=${text#*<cert>}
	echo "${text%%</cert>*}"
}

# shows PATH=VALUE...: of the phone's screen, in JSON.
shows() {
	local pair value filter=true
	for pair; do
		value=${pair#*=}
		case $value in
		true | false | null) ;;
		*) value="\"$value\"" ;;
		esac
		filter+=" and ${pair%%=*} == $value"
	done
	phone --json status >"$T/status.json"
	jq -e "$filter" "$T/status.json" >"$T/jq.out" && return 0
	echo "expected of the screen: $*"
	cat "$T/status.json"
	return 1
}

# draws ERE...: the screen, as it is drawn.
draws() {
	local line
	phone screen >"$T/screen"
	for line; do
		grep -qE -e "$line" "$T/screen" && continue
		echo "expected on the screen: $line"
		cat "$T/screen"
		return 1
	done
}

# says STEP OUTCOME ERE: a step of the last boot.
says() {
	jq -r --arg s "$1" --arg o "$2" '.steps[] | select(.step == $s and .outcome == $o) | .reason' "$T/boot.json" |
		grep -qE -e "$3" && return 0
	echo "expected a step $1, $2: $3"
	jq -r '.steps[] | .outcome + " " + .step + " " + .reason' "$T/boot.json"
	return 1
}

section() {
	diag "$server: section \"$1\""
}

# row FUNCTION SENTENCE...: what proves the sentences, on a phone fresh from the factory.
row() {
	local status sentence
	rm -rf "$T/phone"
	model=D65
	firmware=2_7_0
	url_file=
	ok "$server: $2" "$1"
	status=$?
	for sentence in "${@:3}"; do
		tap_result "$status" "$server: $sentence"
	done
}
