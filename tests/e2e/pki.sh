# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# For scripts that make an easy-rsa PKI, after lib.sh: the real easy-rsa, and openssl ca(1) for what it cannot do.

export PATH="$PATH:/usr/share/easy-rsa"
export EASYRSA_BATCH=1 EASYRSA_KEY_SIZE=2048
export EASYRSA_PKI=$T/pki

# er COMMAND...: easy-rsa, with its talk only when it fails. EASYRSA_PKI says where.
er() {
	easyrsa "$@" >"$T/easyrsa.log" 2>&1 </dev/null && return 0
	cat "$T/easyrsa.log"
	return 1
}

# ca_sign PKI NAME START END: sign reqs/NAME.req for these dates, as easy-rsa would a client's; more arguments go to
# openssl ca(1).
ca_sign() {
	local pki=$1 name=$2 start=$3 end=$4
	shift 4
	cat >"$T/ca.cnf" <<-END
		[ca]
		default_ca = it
		[it]
		database = $pki/index.txt
		new_certs_dir = $pki/certs_by_serial
		certificate = $pki/ca.crt
		private_key = $pki/private/ca.key
		rand_serial = yes
		default_md = sha256
		policy = any
		x509_extensions = client
		unique_subject = no
		[any]
		commonName = supplied
		[client]
		basicConstraints = CA:FALSE
		subjectKeyIdentifier = hash
		authorityKeyIdentifier = keyid,issuer:always
		extendedKeyUsage = clientAuth
		keyUsage = digitalSignature
		[bare]
		basicConstraints = CA:FALSE
		[server]
		basicConstraints = CA:FALSE
		extendedKeyUsage = serverAuth
		keyUsage = digitalSignature,keyEncipherment
		nsCertType = server
	END
	openssl ca -batch -config "$T/ca.cnf" -in "$pki/reqs/$name.req" -out "$pki/issued/$name.crt" -startdate "$start" \
		-enddate "$end" "$@" >"$T/easyrsa.log" 2>&1 && return 0
	cat "$T/easyrsa.log"
	return 1
}

# break_key FILE: an RSA key on standard output like that in FILE, but for one bit of its private exponent. Programs load it
# and take it for the certificate's, and none can use what it signs.
break_key() {
	openssl rsa -in "$1" -traditional -outform DER -out "$T/whole.der" 2>/dev/null
	# Behind the version, the modulus and the public exponent, which are the first three numbers (RFC 8017 appendix A.1.2).
	openssl asn1parse -inform DER -in "$T/whole.der" | awk -F '[ :=]+' '/INTEGER/ && ++n == 5 { print $2 }' >"$T/end"
	perl -0777 -pe 'BEGIN { $end = shift } substr($_, $end - 1, 1) ^= "\x02"' "$(cat "$T/end")" "$T/whole.der" |
		openssl rsa -inform DER -traditional 2>/dev/null
}

# What a folder holds: names, kinds, modes, owners, times and bytes.
tree_sum() {
	(cd "$1" && find . -printf '%p %y %m %U %G %T@ %l\n' | sort && find . -type f -print0 | sort -z | xargs -0 sha256sum) | sha256sum
}

# revoked_serial REASON: of the one row of the index with that reason.
revoked_serial() {
	awk -F '\t' -v reason="$1" '$1 == "R" && $3 ~ "," reason "$" { print $4 }' "$EASYRSA_PKI/index.txt"
}
