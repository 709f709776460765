#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The emitted server against clients that are held to what the phones' OpenVPN can do: TLS 1.0, the page's suites, each CBC
# cipher, both digests, UDP and TCP, comp-lzo and without, all of one digest and protocol at once on one server; and a
# client of today with its defaults beside them. Each gets its own address, and carries 10 MB each way. First all phones
# have comp-lzo, which the server answers with lines that OpenVPN 2.4 and 2.5 know, too.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/netns.sh"

why=$(netns_missing) && skip_all "$why"
export PHONEVPN_DIR=$T/state
seconds=90 # for all transfers of a server, which run at once
suites=(ECDHE-RSA-AES256-SHA ECDHE-RSA-AES128-SHA AES256-SHA AES128-SHA)
ciphers=(AES-128-CBC AES-192-CBC AES-256-CBC CAMELLIA-128-CBC CAMELLIA-192-CBC CAMELLIA-256-CBC)
models=(D60 D62 D65 D80)
modern=${#ciphers[@]} # the number of the client of today

mac_of() {
	printf '000fd30065%02x' "$1"
}

phonevpn --quiet init --vpn-host "$NETNS_SERVER" --url "http://$NETNS_SERVER" --ca-bits 2048 || bail_out init
netns_server || bail_out "namespaces"
for ((i = 0; i <= modern; i++)); do
	phonevpn --quiet phone add "$(mac_of $i)" --model "${models[i % 4]}" || bail_out "phone add"
	netns_phone "p$i" || bail_out "namespaces"
done
# Half of it is what comp-lzo can make smaller.
{ head -c 5242880 /dev/urandom && head -c 5242880 /dev/zero; } >"$T/up"
{ head -c 5242880 /dev/zero && head -c 5242880 /dev/urandom; } >"$T/down"
mkdir "$T/received"
spawn transfer in_netns server "$SOURCE/tests/e2e/transfer.pl" serve "$T/down" "$T/received"
wait_until 10 printed transfer 'listening on' || bail_out "transfer"
port=$(sed -n 's/^listening on //p' "$T/transfer.out")

# bundles PROTO AUTH WHICH: a bundle for each phone; with comp-lzo all of them, the even or the odd ones
bundles() {
	local i lzo
	phonevpn config set vpn-proto "$1" && phonevpn config set vpn-auth "$2" || return 1
	for ((i = 0; i <= modern; i++)); do
		lzo=no
		case $3-$((i % 2)) in all-* | even-0 | odd-1) lzo=yes ;; esac
		[ "$3" = all ] || [ "$i" -ne "$modern" ] || lzo=no
		lzos[i]=$lzo
		phonevpn config set vpn-cipher "${ciphers[i]-AES-256-CBC}" && phonevpn config set vpn-lzo $lzo &&
			phonevpn --quiet mint "$(mac_of $i)" && phonevpn emit bundle "$(mac_of $i)" >"$T/$i.ovpn" || return 1
	done
	# It is no phone, and takes what the server pushes.
	sed -i '/^comp-lzo/d' "$T/$modern.ovpn"
	lzos[modern]=no
	[ "$3" = all ] || phonevpn config set vpn-lzo no
}
# From anywhere, by the configuration's path alone.
serves() {
	phonevpn --quiet emit server --out "$T/$1" || return 1
	spawn openvpn in_netns server sh -c "cd / && exec openvpn --config '$T/$1/server.conf'"
	wait_until 20 printed openvpn 'Initialization Sequence Completed'
}
# connects I: as old as a phone, but for the last
connects() {
	local i=$1 old=()
	[ "$i" -eq "$modern" ] || old=(--tls-version-min 1.0 --tls-version-max 1.0
		--tls-cipher "${suites[i % 4]}:@SECLEVEL=0" --data-ciphers "${ciphers[i]}")
	[ "${lzos[i]}" = no ] || old+=(--allow-compression yes)
	spawn "p$i" in_netns "p$i" openvpn --config "$T/$i.ovpn" --dev tun0 "${old[@]}"
}
address_in() {
	ip -n "$(netns_name "p$1")" -4 -o address show dev tun0 | awk '{ sub("/.*", "", $4); print $4 }'
}
arrived() {
	same_bytes "$T/up" "$T/received/$2" && same_bytes "$T/down" "$T/$1.down"
}

lzos=()
while read -r -u 3 proto auth which; do
	name=$proto-$auth-$which
	ok "$name: bundles of every cipher, these with comp-lzo" bundles "$proto" "$auth" "$which"
	ok "$name: one server for them all starts" serves "$name" || bail_out "$(tail -n 3 "$T/openvpn.out")"
	framing=$(grep -E '^(push ")?comp' "$T/$name/server.conf" | xargs -d '\n')
	if [ "$which" = all ]; then
		is "$name: no line that OpenVPN 2.4 and 2.5 end at" "$framing" 'comp-lzo no push "comp-lzo no"'
	else
		is "$name: both framings" "$framing" "compress migrate"
	fi
	for ((i = 0; i <= modern; i++)); do connects $i; done
	for ((i = 0; i <= modern; i++)); do
		what="$name, ${ciphers[i]-today\'s defaults}, comp-lzo ${lzos[i]}"
		ok "$what: connects" wait_until 30 printed "p$i" 'Initialization Sequence Completed'
		if [ "$i" -eq "$modern" ]; then
			like "... over TLS 1.3" "$(cat "$T/p$i.out")" "Control Channel: TLSv1.3,"
			like "... with AES-256-GCM" "$(cat "$T/p$i.out")" "Data Channel: cipher 'AES-256-GCM'"
		else
			like "... over TLS 1.0 and ${suites[i % 4]}" "$(cat "$T/p$i.out")" \
				"Control Channel: TLSv1, cipher (TLSv1.0|SSLv3) ${suites[i % 4]},"
			like "... with its cipher" "$(cat "$T/p$i.out")" "Data Channel: cipher '${ciphers[i]}', auth '$auth'"
		fi
		is "... with the address that is the phone's" "$(address_in $i)" \
			"$(phonevpn --json phone show "$(mac_of $i)" | jq -r .vpn_address)"
	done
	rm -f "$T"/received/*
	for ((i = 0; i <= modern; i++)); do
		spawn "t$i" in_netns "p$i" "$SOURCE/tests/e2e/transfer.pl" exchange 10.8.0.1 "$port" "$T/up" "$T/$i.down" $seconds
	done
	for ((i = 0; i <= modern; i++)); do
		wait_until $seconds ended "t$i"
		joined "t$i"
		ok "$name, ${ciphers[i]-today\'s defaults}, comp-lzo ${lzos[i]}: 10 MB each way" arrived $i "$(address_in $i)"
	done
	for ((i = 0; i <= modern; i++)); do stop "p$i"; done
	ok "$name: the server has lived through it" lives openvpn
	stop openvpn
done 3<<'END'
udp SHA1 all
udp SHA1 odd
udp SHA256 even
tcp SHA1 odd
tcp SHA256 even
END
done_testing
