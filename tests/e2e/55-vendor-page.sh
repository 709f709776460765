#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The vendor's page "Sangoma Phones and OpenVPN", sentence by sentence: what it says that the phone does, refphone does,
# at web servers that are not ours and at phonevpn serve.
#
# Sentences that are covered elsewhere:
#	58-vendor-page-tunnel.sh	green check mark, VPN address, Disconnect, blue shield, UDP and TCP, comp-lzo, https,
#					a server that wants a password
#	52-web.sh, 53-browser.sh	"A built-in vpn web element is provided by the phone ...", section "The OpenVPN web
#					configuration page", and http://[ip address of phone]/cgi-bin/ptsr in "Debugging"
# The page contradicts itself once: "Important Notes" requires client certificate and key in the file, "Requirements and
# Overview" calls them optional. A phone without them, and without a password, has nothing to log in with; the first
# counts. Sentences about what was tested, recommended or found slow, and of other firmware, say nothing that a phone does.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/webservers.sh"
. "$(dirname "$0")/page.sh"

page_state vpn.example.com || bail_out "no fleet"
page_serve || bail_out serve
page_stand_in
closed=http://127.0.0.1:$(free_port)
echo "$closed" >"$T/closed.url"

# ---- Defaults, Recommended Firmware, Compatibility ----

does_nothing_by_default() {
	publish "$(inline one)"
	boots vpn_disabled && tries nothing && shows .vpn_enabled=false .shield=none
}

connects_when_enabled() {
	publish "$(enable 1)$(inline one)"
	boots failed && tries one && shows .vpn_enabled=true
}

does_it_from_that_firmware_on() {
	publish "$(enable 0)$(inline one)"
	boots vpn_disabled && holds one || return 1
	rm -rf "$T/phone"
	model=D80 firmware=1_9_0
	boots vpn_disabled && holds one
}

knows_no_deprecated_firmware() {
	publish "$(enable 1)$(inline one)"
	for firmware in 2_2_1_1 2_6_6; do
		boots vpn_unsupported && says settings failed 2_7_0 && asked one 0 && holds nothing && tries nothing ||
			return 1
	done
}

supports_models() {
	publish "$(enable 1)$(inline one)"
	for model in D60 D62 D65 D80; do
		rm -rf "$T/phone"
		boots failed && shows .vpn_supported=true .menu=true && holds one && tries one || return 1
	done
}

does_not_support_models() {
	publish "$(enable 1)$(inline one)"
	for model in D40 D45 D50 D70; do
		rm -rf "$T/phone"
		boots vpn_unsupported && asked one 0 && holds nothing && tries nothing &&
			shows .vpn_supported=false .menu=false .shield=none || return 1
	done
}

# ---- Important Notes: files that a correct server never made; plain servers only ----

# refuses FILE ERE: installed, as its md5 is right, and not run.
refuses() {
	made "$1"
	publish "$(enable 1)$(inline "$1")"
	boots bundle_bad && says read failed "$2" && holds "$1" && tries nothing && shows .shield=red
}

wants_it_all_in_line() {
	local block
	for block in ca cert key; do
		sed "/^<$block>/,/^<\/$block>/d" "$page_www/one.ovpn" >"$page_www/absent.ovpn"
		refuses absent "<$block>" || return 1
		{ cat "$page_www/absent.ovpn" && echo "$block $block.pem"; } >"$page_www/named.ovpn"
		refuses named "name of another file" || return 1
	done
}

enters_no_password() {
	sed 's/^client$/client\nauth-user-pass/' "$page_www/one.ovpn" >"$page_www/login.ovpn"
	refuses login auth-user-pass || return 1
	sed -n '/^<key>/,/^<\/key>/{/^</!p}' "$page_www/one.ovpn" >"$T/key.pem"
	{
		sed '/^<key>/,$d' "$page_www/one.ovpn"
		echo "<key>"
		openssl pkey -in "$T/key.pem" -aes256 -passout pass:secret
		echo "</key>"
	} >"$page_www/locked.ovpn"
	refuses locked "without a password.*encrypted"
}

# ---- Requirements and Overview ----

fetches_when_directed() {
	publish "$(enable 0)"
	boots vpn_disabled && asked_xml 1 && asked one 0 && holds nothing || return 1
	publish "$(enable 0)$(inline one)"
	boots vpn_disabled && asked_xml 1 && asked one 1 && holds one
}

# Neither without a login, nor with a wrong one, nor by another kind of login; what is stored stays.
logs_in() {
	local login=${web_auth[$server]-digest}
	publish "$(enable 0)$(inline one)"
	boots vpn_disabled && holds one && asked one 1 || return 1
	[ "$login" != none ] || return 0
	publish "$(enable 0)$(inline two)"
	sed 's,//.*@,//,' "$T/$server.url" >"$T/none.url"
	sed 's,//.*@,//phone:wrong@,' "$T/$server.url" >"$T/wrong.url"
	url_file=$T/none.url
	boots login_refused && says xml failed "wants a login" && holds one || return 1
	url_file=$T/wrong.url
	boots login_refused && says xml failed "password refused" && holds one || return 1
	url_file=
	boots login_refused --auth none && holds one || return 1
	[ "$login" = basic ] || { boots login_refused --auth basic && holds one; } || return 1
	[ "$login" = digest ] || { boots login_refused --auth digest && holds one; } || return 1
	boots vpn_disabled --auth "$login" && holds two
}

stores_it_locally() {
	provisioned || return 1
	url_file=$T/closed.url
	boots xml_unreachable && holds one && shows .configuration.md5="${page_md5[one]}"
}

goes_by_the_md5() {
	provisioned || return 1
	publish "$(enable 0)$(inline one)"
	boots vpn_disabled && asked one 0 && holds one || return 1
	publish "$(enable 0)<setting id=\"openvpn_inline_config\" url=\"$(url_of two)\" value=\"1\" />"
	boots md5_missing && asked two 0 && holds one
}

fetches_at_another_md5() {
	provisioned || return 1
	publish "$(enable 0)$(inline two)"
	boots vpn_disabled && says gate "done" "md5 changed" && asked two 1
}

compares_the_md5() {
	provisioned || return 1
	publish "$(enable 0)$(inline two one)"
	boots vpn_disabled && asked two 0 || return 1
	publish "$(enable 0)$(inline one two)"
	boots md5_mismatch && asked one 1 && says compare failed "expected ${page_md5[two]}, found ${page_md5[one]}"
}

applies_a_match() {
	provisioned || return 1
	publish "$(enable 1)$(inline two)"
	boots failed && asked two 1 && holds two && tries two && shows .configuration.md5="${page_md5[two]}"
}

rejects_a_mismatch() {
	provisioned || return 1
	publish "$(enable 1)$(inline one two)"
	boots md5_mismatch && asked one 1 && holds one && tries one &&
		shows .configuration.md5="${page_md5[one]}" || return 1
	# Nor is it taken by a phone that has none.
	phone --quiet factory-reset && boots md5_mismatch && holds nothing && tries nothing
}

fetches_nothing_without_md5() {
	publish "$(enable 0)<setting id=\"openvpn_inline_config\" url=\"$(url_of one)\" value=\"1\" />"
	boots md5_missing && asked one 0 && holds nothing || return 1
	provisioned && phone --quiet factory-reset || return 1
	publish "$(enable 0)<setting id=\"openvpn_inline_config\" url=\"$(url_of one)\" value=\"1\" md5=\"\" />"
	boots md5_missing && asked one 0 && holds nothing
}

takes_it_to_another_network() {
	publish "$(enable 1)$(inline one)"
	boots failed && holds one || return 1
	url_file=$T/closed.url
	boots xml_unreachable && tries one && holds one
}

# ---- Configuration Elements ----

reads_the_pages_sample() {
	publish "<setting id=\"network_default_enable_openvpn\" value=\"1\" />

<setting id=\"openvpn_inline_config\" url=\"$(url_of one)\" value=\"1\" md5=\"${page_md5[one]}\" />

<setting id=\"openvpn_logging\" value=\"0\" />"
	boots failed && holds one && tries one && shows .vpn_enabled=true .logging=false || return 1
	# The md5 of the page's sample is none: so it is none of the file's.
	publish "$(enable 0)<setting id=\"openvpn_inline_config\" url=\"$(url_of two)\" value=\"1\" md5=\"abc123\" />"
	boots md5_mismatch && asked two 1 && says compare failed "expected abc123, found ${page_md5[two]}" && holds one
}

connects_at_boot() {
	provisioned || return 1
	publish "$(enable 1)$(inline one)"
	boots failed && asked one 0 && tries one
}

does_not_connect_when_disabled() {
	publish "$(enable 0)$(inline one)"
	boots vpn_disabled && holds one && tries nothing || return 1
	fails_with 4 phone --quiet connect && tries nothing
}

fetches_what_is_missing() {
	local enabled
	for enabled in "$(enable 0)" ""; do
		provisioned && rm "$T"/phone/*.ovpn || return 1
		publish "$enabled$(inline one)"
		boots vpn_disabled && asked one 1 && holds one || return 1
	done
	rm "$T"/phone/*.ovpn
	publish "$(enable 1)$(inline one)"
	boots failed && asked one 1 && holds one && tries one
}

needs_value_and_md5() {
	local value
	for value in "" 'value="0"' 'value="true"'; do
		publish "$(enable 0)<setting id=\"openvpn_inline_config\" url=\"$(url_of one)\" $value md5=\"${page_md5[one]}\" />"
		boots xml_bad && asked one 0 && holds nothing || return 1
	done
	publish "$(enable 0)<setting id=\"openvpn_inline_config\" url=\"$(url_of one)\" value=\"1\" />"
	boots md5_missing && asked one 0 && holds nothing || return 1
	publish "$(enable 0)$(inline one)"
	boots vpn_disabled && holds one
}

switches_logging() {
	provisioned || return 1
	publish "$(enable 1)$(inline one)$(logging 1)"
	boots failed && shows .logging=true && grep -x 'verb 4' "$T/attempt" || return 1
	publish "$(enable 1)$(inline one)$(logging 0)"
	boots failed && shows .logging=false && ! grep -x 'verb 4' "$T/attempt"
}

# ---- When the VPN is Enabled ----

has_the_item() {
	provisioned || return 1
	publish "$(enable 1)$(inline one)"
	boots failed && shows .menu=true && draws 'BootConfig Settings: VPN' || return 1
	publish "$(enable 0)$(inline one)"
	boots vpn_disabled && shows .menu=false && draws 'No VPN item'
}

shows_load_status_and_address() {
	publish "$(enable 1)$(inline one)"
	boots failed && shows .configuration.stored=true .connection=Disconnected .vpn_address=null &&
		draws 'Configuration file +loaded' 'VPN address +none' 'Status +Disconnected'
}

shows_a_red_x() {
	publish "$(enable 1)"
	boots md5_missing && shows .icon=x && draws ' x +Configuration file +not found' || return 1
	publish "$(enable 1)$(inline one)"
	boots failed && shows .icon=x && draws ' x +Configuration file +loaded'
}

can_be_connected() {
	provisioned || return 1
	publish "$(enable 1)$(inline one)"
	boots failed && shows .softkey=Connect .shield=red && draws '\| +Connect +\|' 'VPN: red shield' || return 1
	rm -f "$T/attempt"
	fails_with 1 phone --quiet connect && tries one && shows .softkey=Connect .shield=red
}

# ---- The OpenVPN configuration file, Ciphers ----

takes_the_pages_sample_file() {
	local block
	{
		printf '%s\n' client "dev tun" "proto udp" "remote server.example.com 1194" "resolv-retry infinite" nobind \
			"ns-cert-type server" "verb 3"
		for block in ca cert key; do
			sed -n "/^<$block>/,/^<\/$block>/p" "$page_www/one.ovpn"
		done
	} >"$page_www/sample.ovpn"
	made sample
	publish "$(enable 1)$(inline sample)"
	boots failed && says read "done" "takes the file" && holds sample && tries sample &&
		grep -x 'remote server.example.com 1194' "$T/attempt"
}

# with_cipher NAME: a file that asks for it, at a phone that is enabled
with_cipher() {
	sed "s/^cipher .*/cipher $1/" "$page_www/one.ovpn" >"$page_www/cipher.ovpn"
	made cipher
	publish "$(enable 1)$(inline cipher)"
}

has_the_control_ciphers() {
	publish "$(enable 1)$(inline one)"
	boots failed && expect "control-channel ciphers" \
		"$(jq -r '.limits | .tls_cipher[], .tls_cipher_not_offered[]' "$T/boot.json" | sort | paste -sd' ')" \
		"$(printf '%s\n' RC4-SHA RC4-MD5 DES-CBC-SHA DES-CBC3-SHA AES128-SHA AES256-SHA CAMELLIA128-SHA CAMELLIA256-SHA \
			SEED-SHA ECDHE-RSA-RC4-SHA ECDHE-RSA-DES-CBC3-SHA ECDHE-RSA-AES128-SHA ECDHE-RSA-AES256-SHA | sort | paste -sd' ')"
}

has_the_data_ciphers() {
	local cipher
	for cipher in RC2-CBC RC2-40-CBC RC2-64-CBC DES-CBC DES-EDE-CBC DES-EDE3-CBC DESX-CBC AES-128-CBC AES-192-CBC \
		AES-256-CBC CAMELLIA-128-CBC CAMELLIA-192-CBC CAMELLIA-256-CBC SEED-CBC BF-CBC CAST5-CBC; do
		with_cipher $cipher
		boots failed && tries cipher && grep -x "data-ciphers $cipher" "$T/attempt" || return 1
	done
	for cipher in AES-256-GCM CHACHA20-POLY1305 ARIA-256-CBC; do
		with_cipher $cipher
		boots bundle_bad && says read failed "$cipher" && tries nothing || return 1
	done
}

says_that_a_d80_may_differ() {
	model=D80
	publish "$(enable 1)$(inline one)"
	boots failed && says limit warning "D80 may support other ciphers" && tries one
}

# ---- Debugging, Replacing Configuration, Disabling OpenVPN ----

restarts_at_logging() {
	provisioned || return 1
	publish "$(enable 1)$(inline one)$(logging 1)"
	boots failed && says restart "done" "phone restarts" && asked_xml 2 && grep -x 'verb 4' "$T/attempt" || return 1
	boots failed && asked_xml 1
}

deletes_it_all() {
	publish "$(enable 1)$(inline one)"
	boots failed && phone --quiet factory-reset && holds nothing &&
		shows .configuration.stored=false .vpn_enabled=false || return 1
	grep -rlE 'BEGIN|PRIVATE|://|openvpn' "$T/phone" && return 1
	forget
	phone boot >"$T/boot.out" 2>&1 && return 1
	asked_xml 0 && holds nothing
}

keeps_the_old_at_the_same_md5() {
	provisioned || return 1
	publish "$(enable 1)$(inline two one)"
	boots failed && asked two 0 && holds one && tries one
}

goes_on_fetching_while_disabled() {
	provisioned || return 1
	publish "$(enable 0)$(inline two)"
	boots vpn_disabled && asked two 1 && holds two && tries nothing
}

rows() {
	section "Defaults"
	row does_nothing_by_default "By default, the phone does not attempt to connect using OpenVPN." \
		"The network_default_enable_openvpn element is disabled by default."
	row connects_when_enabled "These options must be enabled."
	section "Recommended Firmware"
	row does_it_from_that_firmware_on "Firmware 2_7_0 (D6x) is recommended and D80 (1_9_0)."
	row knows_no_deprecated_firmware \
		"Versions between 2_2_1_1 and 2_6_6 support a series of deprecated OpenVPN configuration parameters ..."
	section "Compatibility"
	row supports_models "OpenVPN connectivity is supported by models D60, D62, D65, and D80."
	row does_not_support_models "Models D40, D45, D50, and D70 do not support OpenVPN connectivity."
	section "Requirements and Overview"
	row fetches_when_directed \
		"The phone will, when directed by its configuration, attempt to cURL the files in from a defined http(s) server."
	row logs_in "The phone can retrieve the files using no authentication, basic auth, or digest auth." \
		"The phone will retrieve from the defined URL using cURL.  Basic and Digest Authorization are supported."
	row stores_it_locally "Once the file is retrieved, the phone will store it locally."
	row goes_by_the_md5 "Retrieval of an updated OpenVPN configuration is dictated by the mandatory md5 parameter."
	row fetches_at_another_md5 \
		"Where the value of the openvpn_inline_config md5 parameter in the phone configuration file changes, the phone will download a new file from the specified URL." \
		"When ... the md5 value differs from the previous configuration file, the phone will download a new configuration file."
	row compares_the_md5 \
		"The phone will calculate the md5sum of the downloaded file and compare it to the specified md5 parameter value." \
		"After download, the phone will perform an md5sum calculation on the newly-retrieved file."
	row applies_a_match "Where a match is found, the phone will apply the new file." \
		"If the result of the calculation is the same ..., the phone will install and use the new configuration file."
	row rejects_a_mismatch \
		"Where a match is not found, the phone will reject the downloaded new file and continue to use the current file." \
		"If the result of the calculation differs, the phone will not utilize the newly-downloaded file, instead discarding it, and continuing the utilize the in-place OpenVPN configuration file."
	row fetches_nothing_without_md5 \
		"If an md5 parameter is not found, on a factory defaulted phone, the OpenVPN configuration file will not be downloaded."
	row takes_it_to_another_network \
		"... connecting the phone to an already-secure network, feeding it a configuration file ..., and then, once successfully loaded, moving the phone to the insecure network."
	section "Configuration Elements"
	row reads_the_pages_sample "The phone maintains three (3) VPN configuration elements that are defined like: ..."
	row connects_at_boot \
		"When enabled, the phone will, on boot, attempt to load its already-stored VPN configuration file and connect to the VPN."
	row does_not_connect_when_disabled "When disabled, the phone will not attempt to connect to the VPN." \
		"The phone disables OpenVPN when the following parameter is configured as zero, the default: ..."
	row fetches_what_is_missing \
		"If the phone does not have the file, it will cURL it in, regardless of the disposition of the network_default_enable_openvpn option."
	row needs_value_and_md5 "Use of this element requires a value parameter of 1 and and an md5 parameter."
	row switches_logging "The openvpn_logging element turns on or off logging ..."
	section "When the VPN is Enabled"
	row has_the_item "... the phone will display an additional setup item in its BootConfig Settings page ..."
	row shows_load_status_and_address \
		"Within this menu, the phone will show the load status of the VPN configuration files as well as its VPN address." \
		"The phone will also display the VPN IP Address and the connection status."
	row shows_a_red_x \
		"If the configuration file is not found or the VPN is not connected, the phone will display an red x icon."
	row can_be_connected "When disconnected, you may connect using the Connect soft key ..." \
		"If the OpenVPN connection cannot be brought up, a red VPN shield icon will show in the status bar ..."
	section "Debugging"
	row restarts_at_logging "Setting this will cause the phone to restart and capture extra OpenVPN logging."
	section "Replacing Configuration when using openvpn_inline_config"
	row deletes_it_all "When a phone is factory defaulted, any stored configurations and certificates are deleted."
	row keeps_the_old_at_the_same_md5 \
		"If you need to cause a phone to switch to a different configuration file, then the value of the md5 parameter of the openvpn_inline_config element must be changed."
	section "Disabling OpenVPN"
	row goes_on_fetching_while_disabled \
		"Even if this setting is disabled, the phone will continue to retrieve new certificates if so directed by the phone's configuration file."
}

for server in lighttpd-basic lighttpd-digest serve; do
	[ "$server" = serve ] || ok "$server comes up" page_web "$server" lighttpd "${server#lighttpd-}"
	rows
	ok "$server still lives" lives "$server"
done
for server in nginx-basic nginx-none; do
	ok "$server comes up" page_web "$server" nginx "${server#nginx-}"
	row logs_in "The phone can retrieve the files using no authentication, basic auth, or digest auth."
done
# What is in the file is no matter of the web server, and phonevpn serve hands out no such files.
section "Important Notes"
row wants_it_all_in_line \
	"Phones require an in-line OpenVPN configuration file bundling the OpenVPN configuration, the root CA, the client cert, and the client key in order to be able to use VPN connectivity."
row enters_no_password \
	"The phone does not provide the user a means of inputting user and/or password credentials as a part of VPN connection."
section "The OpenVPN configuration file"
row takes_the_pages_sample_file \
	"A tested, sample configuration file, with placeholders for the in-line Root CA, Client Cert and Client Key is provided here: ..."
section "Ciphers"
row has_the_control_ciphers "Sangoma D6x phones support the following Control Channel TLS Ciphers: ..."
row has_the_data_ciphers "Sangoma D6x phones support the following Data Channel Ciphers: ..."
row says_that_a_d80_may_differ "Model D80 phones may support a different set of Control Channel TLS Ciphers." \
	"Model D80 phones may support a different set of Data Channel Ciphers."
done_testing
