#!/bin/sh
# SPDX-License-Identifier: ISC
#
# phone_certificates.sh FOLDER: what phone_certificate_test.c and phone_limits_test.c read, made by the openssl program.
# Valid from 2020 to 2030 where the name says nothing else.
set -eu
cd "$1"

cat >ca.cnf <<'END'
[ca]
default_ca = one
[one]
dir = .
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
copy_extensions = none
[any]
organizationName = optional
commonName = supplied
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
[odd]
basicConstraints = critical,CA:FALSE
certificatePolicies = 1.2.3.4
[critical]
basicConstraints = critical,CA:FALSE
1.2.3.4.5 = critical,ASN1:UTF8String:unknown
[root-id]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[root-id-other]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = 00112233445566778899aabbccddeeff00112233
[leaf-id]
basicConstraints = critical,CA:FALSE
authorityKeyIdentifier = keyid:always
[leaf-id-issuer]
basicConstraints = critical,CA:FALSE
authorityKeyIdentifier = keyid:always,issuer:always
[leaf]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
END

key() {
	openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$1.key" 2>/dev/null
}

# issue NAME SUBJECT KEY EXTENSIONS FROM TO ISSUER-ARGUMENT...
issue() {
	name=$1 subject=$2 key=$3 extensions=$4 from=$5 to=$6
	shift 6
	: >index.txt
	openssl req -new -key "$key.key" -subj "$subject" -out "$name.csr"
	openssl ca -batch -config ca.cnf -in "$name.csr" -out "$name.crt" -notext -extensions "$extensions" \
		-startdate "$from" -enddate "$to" "$@" 2>/dev/null
}
start=20200101000000Z
end=20300101000000Z
by_root="-cert root.crt -keyfile root.key"

key root
key other
key leaf
openssl ecparam -name prime256v1 -genkey -out ec.key
issue root "/O=Lab/CN=Lab CA" root root $start $end -selfsign -keyfile root.key
issue other "/O=Lab/CN=Other CA" other root $start $end -selfsign -keyfile other.key
issue root-expired "/O=Lab/CN=Lab CA" root root $start 20250101000000Z -selfsign -keyfile root.key
# shellcheck disable=SC2086 # two options
{
	issue middle "/O=Lab/CN=Middle CA" other root $start $end $by_root
	issue leaf "/O=Lab/CN=000fd3054848" leaf leaf $start $end $by_root
	issue leaf-later "/O=Lab/CN=000fd3054848" leaf leaf 20260101000000Z $end $by_root
	issue leaf-expired "/O=Lab/CN=000fd3054848" leaf leaf $start 20250101000000Z $by_root
	issue leaf-sha1 "/O=Lab/CN=000fd3054848" leaf leaf $start $end $by_root -md sha1
	issue leaf-md5 "/O=Lab/CN=000fd3054848" leaf leaf $start $end $by_root -md md5
	issue leaf-sha512 "/O=Lab/CN=000fd3054848" leaf leaf $start $end $by_root -md sha512
	issue leaf-odd "/O=Lab/CN=000fd3054848" leaf odd $start $end $by_root
	issue leaf-critical "/O=Lab/CN=000fd3054848" leaf critical $start $end $by_root
	issue leaf-ec "/O=Lab/CN=000fd3054848" ec leaf $start $end $by_root
}
issue leaf-middle "/O=Lab/CN=000fd3054848" leaf leaf $start $end -cert middle.crt -keyfile other.key
issue leaf-other "/O=Lab/CN=000fd3054848" leaf leaf $start $end -cert other.crt -keyfile other.key

# The CA's name, and another key.
issue namesake "/O=Lab/CN=Lab CA" other root $start $end -selfsign -keyfile other.key
issue leaf-forged "/O=Lab/CN=000fd3054848" leaf leaf $start $end -cert namesake.crt -keyfile other.key

# One name and one key, of which the certificates have other ids and serials; leaf-root-id* name one of them as their CA's.
for ca in root-id root-id-other; do
	issue $ca "/O=Lab/CN=Lab CA" root $ca $start $end -selfsign -keyfile root.key
	issue leaf-$ca "/O=Lab/CN=000fd3054848" leaf leaf-id $start $end -cert $ca.crt -keyfile root.key
	issue leaf-$ca-issuer "/O=Lab/CN=000fd3054848" leaf leaf-id-issuer $start $end -cert $ca.crt -keyfile root.key
done
issue root-id-again "/O=Lab/CN=Lab CA" root root-id $start $end -selfsign -keyfile root.key
issue leaf-root-id-again-issuer "/O=Lab/CN=000fd3054848" leaf leaf-id-issuer $start $end -cert root-id-again.crt -keyfile root.key
openssl rsa -in leaf.key -traditional -out leaf-traditional.key 2>/dev/null
openssl rsa -in leaf.key -traditional -aes128 -passout pass:secret -out leaf-password-rsa.key 2>/dev/null
openssl pkcs8 -topk8 -in leaf.key -passout pass:secret -out leaf-password.key
openssl pkey -in leaf.key -pubout -out public.key
sed '10,12d' leaf.key >cut.key
sed '3d' leaf.crt >damaged.crt
cat leaf-middle.crt middle.crt >chain.crt
cat leaf.crt damaged.crt >leaf-and-damaged.crt
cat middle.crt root.crt >both-cas.crt
cat other.crt root.crt >two-roots.crt
cat root-expired.crt other.crt >expired-and-other.crt
cat root.crt damaged.crt >root-and-damaged.crt
openssl x509 -in leaf.crt -text -out leaf-with-text.crt
{ echo "# the phone's"; sed 's/$/\r/' leaf.crt; echo "# end"; } >leaf-with-comments.crt
{ cat root.crt; echo "no PEM"; } >root-and-rubbish.crt
sed '1a Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n' leaf.crt >encrypted.crt
: >empty.crt
: >empty.key
