#!/bin/bash
# SPDX-License-Identifier: ISC
#
# server_pki.sh FOLDER: certificates and CRLs, good and bad, that servers and phones are judged with; made by the openssl
# program. All but the CAs' and the EC ones have the key key.key.
set -u
export LC_ALL=C
pki=$1
mkdir -p "$pki" || exit 1

day() {
	date -u -d "$1 days" +%Y%m%d%H%M%SZ
}
extensions() {
	case $1 in
	root) printf 'basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\n' ;;
	server) printf 'keyUsage = digitalSignature, keyEncipherment\nextendedKeyUsage = serverAuth\nnsCertType = server\n' ;;
	no-netscape) printf 'keyUsage = digitalSignature, keyEncipherment\nextendedKeyUsage = serverAuth\n' ;;
	no-purpose) printf 'keyUsage = digitalSignature, keyEncipherment\nnsCertType = server\n' ;;
	no-usage) printf 'extendedKeyUsage = serverAuth\nnsCertType = server\n' ;;
	narrow-usage) printf 'keyUsage = digitalSignature\nextendedKeyUsage = serverAuth\nnsCertType = server\n' ;;
	phone) printf 'keyUsage = digitalSignature\nextendedKeyUsage = clientAuth\n' ;;
	bare) printf 'basicConstraints = CA:FALSE\n' ;;
	esac
}
# authority NAME [SUBJECT]: its folder and its self-signed certificate
authority() {
	mkdir "$pki/$1.db" && : >"$pki/$1.db/index.txt" && echo unique_subject=no >"$pki/$1.db/index.txt.attr"
	{
		printf '[ca]\ndefault_ca = it\n[it]\ndatabase = %s\nnew_certs_dir = %s\n' "$pki/$1.db/index.txt" "$pki/$1.db"
		printf 'rand_serial = yes\ndefault_md = sha256\ndefault_crl_days = 60\ncertificate = %s\nprivate_key = %s\n' \
			"$pki/$1.crt" "$pki/$1.key"
		printf 'policy = any\nunique_subject = no\n[any]\ncommonName = supplied\n'
		for kind in root server no-netscape no-purpose no-usage narrow-usage phone bare; do
			printf '[%s]\n' "$kind"
			extensions "$kind"
		done
		printf '[req]\ndistinguished_name = dn\n[dn]\n'
	} >"$pki/$1.conf"
	openssl req -newkey rsa:2048 -nodes -subj "/CN=${2:-$1}" -keyout "$pki/$1.key" -out "$pki/$1.csr" &&
		openssl ca -batch -notext -config "$pki/$1.conf" -selfsign -extensions root -startdate "$(day -9)" \
			-enddate "$(day +90)" -in "$pki/$1.csr" -out "$pki/$1.crt"
}
# issue CA NAME KIND [START END DIGEST KEY]
issue() {
	openssl req -new -key "$pki/${7:-key}.key" -subj "/CN=$2" -out "$pki/$2.csr" &&
		openssl ca -batch -notext -config "$pki/$1.conf" -extensions "$3" -startdate "$(day "${4:--2}")" \
			-enddate "$(day "${5:-+60}")" -md "${6:-sha256}" -in "$pki/$2.csr" -out "$pki/$2.crt"
}
crl() {
	openssl ca -config "$pki/$1.conf" -gencrl -crl_lastupdate "$(day "$3")" -crl_nextupdate "$(day "$4")" -out "$pki/$2.pem"
}
certificates() {
	openssl genrsa -out "$pki/key.key" 2048 && openssl ecparam -name prime256v1 -genkey -noout -out "$pki/ec.key" &&
		openssl rsa -aes128 -passout pass:x -in "$pki/key.key" -out "$pki/locked.key" || return 1
	authority one && authority other && authority twin one || return 1
	issue one between root && issue one server server && issue other stranger-server server && issue one past-server server -9 -1 &&
		issue one soon-server server -2 +5 && issue one future-server server +1 +60 && issue one ec-server server -2 +60 sha256 ec &&
		issue one client-server phone && issue one sha1-server server -2 +60 sha1 || return 1
	for kind in no-netscape no-purpose no-usage narrow-usage bare; do issue one $kind-server $kind || return 1; done
	issue one phone phone && issue one second phone && issue other stranger phone && issue one past phone -9 -1 &&
		issue one revoked phone && issue one bare bare && issue one server-phone server && issue one ec-phone phone -2 +60 sha256 ec &&
		issue one sha1-phone phone -2 +60 sha1 || return 1
	# An intermediate CA: its configuration is that of another one, its certificate from the first.
	sed "s,$pki/one,$pki/between,g" "$pki/one.conf" >"$pki/between.conf" && cp "$pki/key.key" "$pki/between.key" &&
		mkdir "$pki/between.db" && : >"$pki/between.db/index.txt" && issue between below server && issue between below-phone phone &&
		crl one crl -2 +60 && crl one crl-past -9 -1 && crl one crl-soon -2 +5 && crl one crl-future +1 +60 && crl other crl-other -2 +60 &&
		openssl ca -config "$pki/one.conf" -revoke "$pki/revoked.crt" && crl one crl-revoked -2 +60 || return 1
	cat "$pki/one.crt" "$pki/other.crt" >"$pki/both.crt"
	cat "$pki/one.crt" "$pki/twin.crt" >"$pki/twins.crt"
	cat "$pki/one.crt" "$pki/between.crt" >"$pki/with-between.crt"
	cat "$pki/below.crt" "$pki/between.crt" >"$pki/below-chain.crt"
	cat "$pki/crl-past.pem" "$pki/crl-other.pem" >"$pki/crl-one-past.pem"
	cat "$pki/crl.pem" "$pki/crl-other.pem" >"$pki/crl-both.pem"
	: >"$pki/crl-empty.pem"
	echo garbage >"$pki/crl-garbage.pem"
	mkdir "$pki/serials" "$pki/serials-revoked"
	serial=$(openssl x509 -in "$pki/revoked.crt" -noout -serial)
	: >"$pki/serials-revoked/$(perl -MMath::BigInt -e 'print Math::BigInt->new("0x$ARGV[0]")' "${serial#*=}")"
	chmod 600 "$pki"/*.key && chmod 644 "$pki"/*.crt "$pki"/*.pem && chmod 755 "$pki"
}
certificates
