#!/bin/bash
# SPDX-License-Identifier: ISC
#
# check_ovpn_samples.sh FOLDER [NOW [HOST PORT]]: what check_ovpn_test.c, check_ovpn_samples_test.c and e2e/66-check-ovpn.sh try. In FOLDER/pki are
# a CA, a server's and a phone's certificate made by the openssl program, as of NOW (seconds; this moment); in
# FOLDER/samples are bundles: RULE--WHAT.ovpn is one that breaks the rule RULE and works otherwise, good--WHAT.ovpn breaks
# none.
set -euo pipefail
data=$(realpath "$(dirname "$0")/../data/ovpn")
now=${2:-$(date +%s)}
host=${3:-vpn.example.com}
port=${4:-1194}
mkdir -p "$1/pki" "$1/samples"
cd "$1/pki"

# ---- certificates ----
cat >ca.cnf <<'END'
[ca]
default_ca = one
[one]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
organizationName = optional
commonName = supplied
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
[phone]
keyUsage = digitalSignature
extendedKeyUsage = clientAuth
[server]
keyUsage = digitalSignature,keyEncipherment
extendedKeyUsage = serverAuth
nsCertType = server
[bare]
basicConstraints = CA:FALSE
END
at() {
	date -u -d "@$((now + $1 * 3600))" +%Y%m%d%H%M%SZ
}
key() {
	openssl genpkey -algorithm RSA -pkeyopt "rsa_keygen_bits:${2:-2048}" -out "$1.key" 2>/dev/null
}
# issue NAME SUBJECT KEY EXTENSIONS FROM-HOURS TO-HOURS ISSUER-ARGUMENT...
issue() {
	local name=$1 subject=$2 key=$3 extensions=$4 from=$5 to=$6
	shift 6
	: >index.txt
	openssl req -new -key "$key.key" -subj "$subject" -out "$name.csr"
	openssl ca -batch -config ca.cnf -in "$name.csr" -out "$name.crt" -notext -extensions "$extensions" \
		-startdate "$(at "$from")" -enddate "$(at "$to")" "$@" 2>/dev/null
}
phone() {
	local name=$1 key=$2 from=$3 to=$4
	shift 4
	issue "$name" "/O=Lab/CN=000fd3054848" "$key" phone "$from" "$to" -cert root.crt -keyfile root.key "$@"
}
years=$((3 * 365 * 24))
key root
key other
key server
key leaf
key leaf-1024 1024
key leaf-4104 4104
openssl ecparam -name prime256v1 -genkey -out ec.key
openssl genpkey -algorithm ED25519 -out ed.key
issue root "/O=Lab/CN=Lab CA" root root -$years $years -selfsign -keyfile root.key
issue other "/O=Lab/CN=Other CA" other root -$years $years -selfsign -keyfile other.key
issue root-past "/O=Lab/CN=Lab CA" root root -$years -24 -selfsign -keyfile root.key
issue root-ending "/O=Lab/CN=Lab CA" root root -$years 48 -selfsign -keyfile root.key
issue root-recent "/O=Lab/CN=Lab CA" root root -1 $years -selfsign -keyfile root.key
issue other-past "/O=Lab/CN=Other CA" other root -$years -24 -selfsign -keyfile other.key
issue middle "/O=Lab/CN=Middle CA" other root -$years $years -cert root.crt -keyfile root.key
issue server "/O=Lab/CN=vpn" server server -$years $years -cert root.crt -keyfile root.key
issue server-other "/O=Lab/CN=vpn" server server -$years $years -cert other.crt -keyfile other.key
phone leaf leaf -$years $years
phone leaf-past leaf -$years -24
phone leaf-later leaf 48 $years
phone leaf-ending leaf -$years 48
phone leaf-sha1 leaf -$years $years -md sha1
phone leaf-md5 leaf -$years $years -md md5
phone leaf-ec ec -$years $years
phone leaf-ed ed -$years $years
phone leaf-1024 leaf-1024 -$years $years
phone leaf-4104 leaf-4104 -$years $years
issue leaf-server "/O=Lab/CN=000fd3054848" leaf server -$years $years -cert root.crt -keyfile root.key
issue leaf-bare "/O=Lab/CN=000fd3054848" leaf bare -$years $years -cert root.crt -keyfile root.key
issue leaf-middle "/O=Lab/CN=000fd3054848" leaf phone -$years $years -cert middle.crt -keyfile other.key
issue leaf-other "/O=Lab/CN=000fd3054848" leaf phone -$years $years -cert other.crt -keyfile other.key
openssl rsa -in leaf.key -traditional -out leaf-traditional.key 2>/dev/null
openssl rsa -in leaf.key -traditional -aes128 -passout pass:secret -out leaf-password-rsa.key 2>/dev/null
openssl pkcs8 -topk8 -in leaf.key -passout pass:secret -out leaf-password.key
# The same public half, and private exponents that are not its own: d and d mod (p-1), RFC 8017 appendix A.1.2.
openssl asn1parse -in leaf-traditional.key | awk -F: '/INTEGER/ { print $NF }' >numbers
{
	echo 'asn1 = SEQUENCE:key'
	echo '[key]'
	awk '{ printf "n%d = INTEGER:0x%s\n", NR, NR == 4 || NR == 7 ? substr($0, 1, length($0) - 6) "000001" : $0 }' numbers
} >broken.cnf
openssl asn1parse -genconf broken.cnf -noout -out broken.der
{ echo "-----BEGIN RSA PRIVATE KEY-----"; openssl base64 -in broken.der; echo "-----END RSA PRIVATE KEY-----"; } >leaf-broken.key
printf '%s\n' "-----BEGIN OpenVPN Static key V1-----" >ta.key
for i in {1..16}; do printf '%032x\n' "$i"; done >>ta.key
printf '%s\n' "-----END OpenVPN Static key V1-----" >>ta.key
sed 3d leaf.crt >damaged.crt
sed '10,12d' leaf.key >cut.key
openssl pkey -in leaf.key -pubout -out public.key
openssl x509 -in root.crt -text >root-text.crt
{ for i in {1..150}; do echo "# the CA of the branch offices, and nobody knows more about it than this"; done; } >comments
{ cat root.crt comments; } >root-comments.crt
{ cat root.crt comments other.crt; } >root-comments-other.crt
{ cat comments root.crt; } >comments-root.crt
cat root.crt other.crt >two.crt
cat root.crt other-past.crt >one-past.crt
cat middle.crt root.crt >both.crt
cat leaf-middle.crt middle.crt >chain.crt
cat leaf.crt damaged.crt >leaf-damaged.crt
cat root.crt damaged.crt >root-damaged.crt
sed 's/^/  /' root.crt >root-indented.crt
sed '/^[^-]/s/^/ /' root.crt >root-body-indented.crt
cat root.crt root-indented.crt >second-indented.crt
{ sed -n 1p leaf.crt; sed '/^-/d' leaf.crt | tr -d '\n'; echo; sed -n '$p' leaf.crt; } >leaf-one-line.crt

# ---- bundles ----
samples=../samples
block() {
	printf '<%s>\n' "$1"
	cat "$2"
	printf '</%s>\n' "$1"
}
# bundle NAME [CA [CERT [KEY]]]: made of those files
bundle() {
	{
		cat directives
		block ca "${2:-root}.crt"
		block cert "${3:-leaf}.crt"
		block key "${4:-leaf}.key"
	} >"$samples/$1.ovpn"
}
# change NAME SED-SCRIPT: the good one, changed
change() {
	sed "$2" "$samples/good--plain.ovpn" >"$samples/$1.ovpn"
}
# add NAME LINE...: the good one and these lines
add() {
	local name=$1
	shift
	{
		sed '/^<ca>$/,$d' "$samples/good--plain.ovpn"
		printf '%s\n' "$@"
		sed -n '/^<ca>$/,$p' "$samples/good--plain.ovpn"
	} >"$samples/$name.ovpn"
}
printf '%s\n' client 'dev tun' 'proto udp' "remote $host $port" 'resolv-retry infinite' nobind 'remote-cert-tls server' \
	'cipher AES-256-CBC' 'auth SHA1' 'auth-retry nointeract' 'verb 3' >directives

bundle good--plain
bundle good--two-cas two
bundle good--traditional-key root leaf leaf-traditional
bundle good--intermediate-in-ca both leaf-middle
bundle good--text-preamble root-text
change good--crlf 's/$/\r/'
add good--setenv-opt 'setenv opt data-ciphers AES-256-CBC' 'setenv opt block-outside-dns'
add good--comments '# comment' '; "comment' '' '	# tab' 'verb 3 # behind'
add good--several-remotes 'remote 192.0.2.1 1194' 'remote 192.0.2.2 443 tcp'
add good--one-remote-of-another-family 'remote 2001:db8::1 1194'
change good--ipv6 's/^proto .*/proto udp6/; s/^remote .*/remote 2001:db8::1 1194/'
add good--what-all-take persist-key persist-tun auth-nocache 'mute 10' 'explicit-exit-notify 1' remote-random float \
	'ping 10' 'ping-restart 60' 'connect-retry-max 5' 'server-poll-timeout 4' 'reneg-sec 3600' \
	'remote-cert-eku "TLS Web Server Authentication"' push-peer-info 'setenv XX Y' 'tun-mtu 1500' 'mssfix 1400' \
	'keysize 256' 'sndbuf 0' 'dhcp-option DNS 192.0.2.1' 'redirect-gateway def1' disable-occ 'tls-cipher ECDHE-RSA-AES256-SHA'
change good--tcp 's/^proto udp/proto tcp/'
change good--tcp-client 's/^proto udp/proto tcp-client/'
change good--camellia 's/^cipher .*/cipher CAMELLIA-128-CBC/'
change good--sha256 's/^auth .*/auth SHA256/'
{ sed '/^<ca>$/,$d' "$samples/good--plain.ovpn"; echo 'key-direction 1'; block tls-auth ta.key; sed -n '/^<ca>$/,$p' "$samples/good--plain.ovpn"; } >"$samples/good--tls-auth.ovpn"
# FreePBX's generated client configuration, with its files put into blocks.
{
	printf '%s\n' client 'dev tun' 'proto udp' 'resolv-retry 60' nobind persist-key persist-tun 'remote-cert-tls server'
	block ca root.crt
	block cert leaf.crt
	block key leaf.key
	printf '%s\n' comp-lzo 'verb 3' 'reneg-sec 3600' "remote $host $port"
} >"$samples/good--freepbx.ovpn"

# ---- the file ----
: >"$samples/ovpn-size--empty.ovpn"
{ printf '\357\273\277'; cat "$samples/good--plain.ovpn"; } >"$samples/ovpn-bom--utf8.ovpn"
tr '\n' '\r' <"$samples/good--plain.ovpn" >"$samples/ovpn-cr-only--mac.ovpn"
change ovpn-nul--in-a-line 's/^verb 3/verb 3\x00/'
change ovpn-nul--in-a-block 's/^<ca>$/&\n# the CA\x00/'
iconv -t UTF-16LE "$samples/good--plain.ovpn" >"$samples/ovpn-nul--utf16.ovpn"
add ovpn-line-long--comment "# $(printf 'x %.0s' {1..150})"
add ovpn-line-long--directive "setenv XX $(printf 'x%.0s' {1..300})"
change ovpn-quoting--open 's/^dev tun/dev "tun/'
change ovpn-quoting--backslash 's/^dev tun/dev t\\un/'
change ovpn-quoting--at-the-end 's/^dev tun/dev tun\\/'

# ---- blocks ----
sed '$d' "$samples/good--plain.ovpn" >"$samples/ovpn-block-open--last.ovpn"
head -n 30 "$samples/good--plain.ovpn" >"$samples/ovpn-block-open--cut.ovpn"
change ovpn-block-indented--ca 's/^<\/ca>/  <\/ca>/'
change ovpn-block-indented--both 's/^\(<\/*ca>\)/  \1/'
add ovpn-block-unknown--tls-crypt '<tls-crypt>' "$(cat ta.key)" '</tls-crypt>'
add ovpn-block-unknown--verb '<verb>' 3 '</verb>'
add ovpn-tag--stray '</cert>'
change ovpn-tag--with-a-word 's/^<ca>$/<ca> x/'
bundle ovpn-block-cut--second-ca root-comments-other
bundle ovpn-block-cut--first-ca comments-root
bundle ovpn-block-long--comments root-comments
{ cat "$samples/good--plain.ovpn"; block ca root.crt; } >"$samples/ovpn-block-twice--ca.ovpn"
change ovpn-block-missing--ca '/^<ca>$/,/^<\/ca>$/d'
change ovpn-block-missing--cert '/^<cert>$/,/^<\/cert>$/d'
change ovpn-block-missing--key '/^<key>$/,/^<\/key>$/d'
change ovpn-not-inline--ca '/^<ca>$/,/^<\/ca>$/d; s/^verb 3/&\nca ca.crt/'
{ cat "$samples/good--plain.ovpn"; echo 'key phone.key'; } >"$samples/ovpn-not-inline--key-behind.ovpn"
add ovpn-not-inline--tls-auth 'tls-auth ta.key 1'
bundle ovpn-pem-indented--all root-indented
bundle ovpn-pem-indented--body root-body-indented
bundle ovpn-pem-indented--second second-indented
bundle ovpn-pem-broken--ca damaged
bundle ovpn-pem-broken--second-ca root-damaged
bundle ovpn-pem-broken--cert root damaged
bundle ovpn-pem-broken--key root leaf cut
change ovpn-pem-broken--no-end '/^<cert>$/,/^<\/cert>$/{ /^-----END/d; }'
cp public.key public.crt
bundle ovpn-pem-none--public-key root leaf public
bundle ovpn-pem-none--other-kind public
change ovpn-pem-none--empty '/^<ca>$/,/^<\/ca>$/{ /^<\/*ca>$/!d; }'
bundle ovpn-pem-line-long--cert root leaf-one-line
add ovpn-tls-auth-broken--short 'key-direction 1' '<tls-auth>' "$(sed 5,12d ta.key)" '</tls-auth>'

# ---- directives ----
add ovpn-no-directive--web-page '<!DOCTYPE HTML PUBLIC>'
change ovpn-no-directive--lost-tag '/^<key>$/d'
add ovpn-unknown--frobnicate frobnicate
add ovpn-unknown--server 'server 10.8.0.0 255.255.255.0'
for late in 'tls-version-min 1.0' 'data-ciphers AES-256-CBC' 'ncp-ciphers AES-256-CBC' 'compress' 'tls-cert-profile legacy' \
	'pull-filter ignore x' 'ignore-unknown-option x' 'providers default' 'allow-compression no' block-outside-dns \
	'data-ciphers-fallback AES-256-CBC' 'tls-groups P-256' 'tls-ciphersuites TLS_AES_128_GCM_SHA256' disable-dco; do
	add "ovpn-too-new--${late%% *}" "$late"
done
add ovpn-since-2-3--verify-x509-name 'verify-x509-name vpn name'
add ovpn-overlooked--compress 'setenv FORWARD_COMPATIBLE 1' compress
add ovpn-arguments--remote-cert-tls remote-cert-tls
add ovpn-arguments-many--nobind 'nobind yes'
for prompt in auth-user-pass askpass 'http-proxy 192.0.2.1 3128 stdin'; do
	add "ovpn-password--${prompt%% *}" "$prompt"
done
for program in 'up /bin/true' 'plugin x.so' 'route-up /bin/true' 'engine dynamic' 'iproute /bin/true'; do
	add "ovpn-program--${program%% *}" "$program"
done
for file in 'config other.conf' 'crl-verify crl.pem' 'capath certs' 'cd lab' 'chroot lab'; do
	add "ovpn-other-file--${file%% *}" "$file"
done
add ovpn-phone-itself--user 'user nobody' 'group nogroup'
add ovpn-phone-itself--log 'log x.log'
add ovpn-phone-itself--script-security 'script-security 2'
add ovpn-connection--empty '<connection>' 'proto udp' '</connection>'
add ovpn-connection--verb '<connection>' "remote $host $port" 'verb 3' '</connection>'
add ovpn-value--remote-cert-tls 'remote-cert-tls client'
add ovpn-value--comp-lzo 'comp-lzo maybe'
add ovpn-value--topology 'topology star'
add ovpn-value--key-direction 'key-direction 2'
add ovpn-value--port 'port 99999'
add ovpn-value--setenv 'setenv X 1'
add ovpn-value--keepalive 'keepalive 30 5'
add ovpn-value--redirect-gateway 'redirect-gateway def1 ipv6'
add ovpn-value--script-security 'script-security 0'
add ovpn-value--tun-mtu 'tun-mtu 99'
add ovpn-value--verify-hash 'verify-hash 00:11'
add ovpn-value--keysize 'keysize 128'
add ovpn-value--key-method 'key-method 1'
add ovpn-value--mtu-disc 'mtu-disc 1'
add ovpn-value--replay-window 'replay-window 64 601'
add ovpn-value--shaper 'shaper 50'
add ovpn-value--socket-flags 'socket-flags TCP_CORK'
add ovpn-value--x509-name 'verify-x509-name vpn common'
add ovpn-value--link-mtu 'link-mtu 64'
change ovpn-value--remote "s/^remote .*/remote $host 99999/"
add ovpn-conflict--nobind bind
add ovpn-conflict--names 'verify-x509-name vpn name' 'tls-remote vpn'
add ovpn-conflict--keepalive 'keepalive 5 30' 'ping 5'
add ovpn-conflict--mtu 'tun-mtu 1400' 'link-mtu 1500'
add ovpn-generic--setenv 'setenv GENERIC_CONFIG 1'
change ovpn-client-missing--none '/^client$/d'
change ovpn-dev-missing--none '/^dev tun$/d'
change ovpn-dev--name 's/^dev tun$/dev vpn/'
change ovpn-dev-tap--tap 's/^dev tun$/dev tap/'
change ovpn-remote-missing--none '/^remote /d'
change ovpn-remote-family--ipv6-with-udp 's/^remote .*/remote 2001:db8::1 1194/'
change ovpn-remote-family--ipv4-with-udp6 's/^proto .*/proto udp6/; s/^remote .*/remote 192.0.2.1 1194/'
change ovpn-remote-family--connection 's/^remote .*/<connection>\nremote 2001:db8::1 1194\n<\/connection>/'
# shellcheck disable=SC2046 # a line each
add ovpn-remote-many--65 $(printf 'remote_192.0.2.%d\n' {1..64})
sed -i 's/^remote_/remote /' "$samples/ovpn-remote-many--65.ovpn"
change ovpn-proto--udp4 's/^proto .*/proto udp4/'
change ovpn-proto--server 's/^proto .*/proto tcp-server/'
change ovpn-proto--third-word "s/^remote .*/& tls/"
add ovpn-proto-directive--connect-retry 'connect-retry 5'
change ovpn-proto-directive--exit-notify 's/^proto .*/proto tcp\nexplicit-exit-notify/'
change ovpn-proto-directive--fragment 's/^proto .*/proto tcp\nfragment 1200/'
add ovpn-proto-directive--in-connection '<connection>' "remote $host $port tcp" 'explicit-exit-notify 2' '</connection>'
add ovpn-proto-force--tcp 'proto-force tcp'

# ---- what both sides must agree on ----
change ovpn-cipher-missing--none '/^cipher /d'
change ovpn-auth-missing--none '/^auth /d'
change ovpn-cipher-unsupported--aria 's/^cipher .*/cipher ARIA-256-CBC/'
change ovpn-cipher-unsupported--unknown 's/^cipher .*/cipher NOSUCH/'
change ovpn-cipher-aead--gcm 's/^cipher .*/cipher AES-256-GCM/'
change ovpn-cipher-aead--chacha 's/^cipher .*/cipher CHACHA20-POLY1305/'
change ovpn-cipher-legacy--bf 's/^cipher .*/cipher BF-CBC/'
change ovpn-cipher-legacy--seed 's/^cipher .*/cipher SEED-CBC/'
change ovpn-cipher-small-block--3des 's/^cipher .*/cipher DES-EDE3-CBC/'
change ovpn-cipher-none--none 's/^cipher .*/cipher none/'
change ovpn-auth-unknown--nosuch 's/^auth .*/auth NOSUCH/'
change ovpn-auth-unknown--sha-1 's/^auth .*/auth SHA-1/'
change ovpn-auth-unknown--sha3 's/^auth .*/auth SHA3-256/'
change ovpn-auth-unmeasured--ripemd160 's/^auth .*/auth RIPEMD160/'
change ovpn-auth-none--none 's/^auth .*/auth none/'
add ovpn-tls-cipher-command--seclevel 'tls-cipher DEFAULT:@SECLEVEL=0'
add ovpn-tls-cipher-unsupported--gcm 'tls-cipher ECDHE-RSA-AES256-GCM-SHA384'
add ovpn-tls-cipher-unsupported--iana 'tls-cipher TLS-DHE-RSA-WITH-AES-256-CBC-SHA'
add ovpn-tls-cipher-gone--rc4 'tls-cipher RC4-SHA:DES-CBC3-SHA'
change ovpn-server-unchecked--none '/^remote-cert-tls/d'
change ovpn-ns-cert-type--server 's/^remote-cert-tls/ns-cert-type/'
add ovpn-comp-lzo--alone comp-lzo
add ovpn-fragment--udp 'fragment 1200'
add ovpn-tls-auth-direction--none '<tls-auth>' "$(cat ta.key)" '</tls-auth>'
change ovpn-auth-retry--none '/^auth-retry/d'

# ---- certificates and key ----
bundle ovpn-ca-time--one-past one-past
bundle ovpn-ca-ending--root root-ending
bundle ovpn-ca-recent--root root-recent
bundle ovpn-key-encrypted--pkcs8 root leaf leaf-password
bundle ovpn-key-encrypted--traditional root leaf leaf-password-rsa
bundle ovpn-key-broken--exponent root leaf leaf-broken
bundle ovpn-key-mismatch--other root leaf other
bundle ovpn-key-mismatch--kind root leaf ec
bundle ovpn-cert-unsigned--other other leaf
bundle ovpn-cert-unsigned--no-intermediate root leaf-middle
bundle ovpn-cert-unsigned--no-root middle leaf-middle
bundle ovpn-cert-chain-time--root-past root-past
bundle ovpn-cert-expired--leaf root leaf-past
bundle ovpn-cert-not-yet--leaf root leaf-later
bundle ovpn-cert-ending--leaf root leaf-ending
bundle ovpn-cert-purpose--server root leaf-server
bundle ovpn-cert-usage--bare root leaf-bare
bundle ovpn-cert-digest--sha1 root leaf-sha1
bundle ovpn-cert-digest--md5 root leaf-md5
bundle ovpn-cert-rest--damaged root leaf-damaged
bundle ovpn-cert-intermediate--chain root chain
bundle ovpn-cert-weak--1024 root leaf-1024 leaf-1024
bundle ovpn-cert-ec--p256 root leaf-ec ec
bundle ovpn-cert-kind--ed25519 root leaf-ed ed
bundle ovpn-cert-unmeasured--rsa-4104 root leaf-4104 leaf-4104

# ---- the reference phone's own, with certificates in place of what only looks like them ----
real() {
	awk -v ca="$(sed '/^-/d' root.crt | tr '\n' ' ')" -v cert="$(sed '/^-/d' leaf.crt | tr '\n' ' ')" \
		-v key="$(sed '/^-/d' leaf.key | tr '\n' ' ')" '
		function body(text, end,    i, n, part) {
			n = split(text, part, " ")
			for (i = 1; i <= n; i++)
				printf "%s%s\n", part[i], end
		}
		/<[a-z]+>/ { block = $0; gsub(/[^a-z]/, "", block) }
		/^TUlJQlVUQ0I5NkFEQWdFQ0FoUWJvZ3VzYm9ndXNib2d1c2JvZ3VzYm9ndXNib2d1\r?$/ {
			body(block == "ca" ? ca : block == "cert" ? cert : key, /\r$/ ? "\r" : "")
			skip = 1
			next
		}
		skip && /^Ym9ndXM=\r?$/ { skip = 0; next }
		{ skip = 0; print }' "$1"
}
for sample in "$data"/*.ovpn; do
	real "$sample" >"$samples/bad--$(basename "$sample")"
done
for sample in "$data"/taken/*.ovpn; do
	# An EC key's label and the RSA key that is put in do not go together.
	[ "$(basename "$sample")" = ec-key-with-parameters.ovpn ] || real "$sample" >"$samples/taken--$(basename "$sample")"
done
