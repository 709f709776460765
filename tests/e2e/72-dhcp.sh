#!/bin/bash
# SPDX-License-Identifier: ISC
#
# A phone from the factory is sent to us by DHCP, through each of the three servers, and nothing that the network can
# read there is a secret. The servers and the client are Debian's, in namespaces.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/netns.sh"

# In their own place AppArmor keeps them from every file of this test.
mkdir "$T/bin"
for program in dhcpd dhclient kea-dhcp4; do cp "$(command -v $program)" "$T/bin/"; done
PATH=$T/bin:$PATH

export PHONEVPN_DIR=$T/state
url=https://pbx.example.com:8443/phones/
phone=00:0f:d3:00:65:01 laptop=00:1b:21:00:00:01
class=digium_D65_2_9_27

ok "init" phonevpn init --vpn-host vpn.example.com --url "${url%/}" --ca-bits 2048
ok "import" phonevpn phone import "$SOURCE/doc/examples/fleet.csv"
phonevpn emit url 000fd3006501 >"$T/login"
secret=$(sed -n 's,^https://\(.*\)@.*,\1,p' "$T/login")
like "what is looked for below is a login" "$secret" '^000fd3006501:.{24}$'

for server in isc kea dnsmasq; do
	for match in oui class; do
		ok "emit dhcp: $server by $match" phonevpn emit dhcp --server $server --match $match
		mv "$T/out" "$T/$server-$match"
		unlike "$server by $match: no login is in it" "$(cat "$T/$server-$match")" '@|000fd3006501'
	done
	phonevpn emit dhcp --server $server >"$T/plain"
	ok "$server: by OUI unless told otherwise, and to the byte the same again" same_bytes "$T/plain" "$T/$server-oui"
done

ok "no server is wrong usage" fails_with 2 phonevpn emit dhcp
like "... and says which there are" "$(cat "$T/err")" 'isc, kea or dnsmasq'
ok "an unknown server is wrong usage" fails_with 2 phonevpn emit dhcp --server windows
ok "an unknown match is wrong usage" fails_with 2 phonevpn emit dhcp --server isc --match mac
ok "a URL with a login does not become a setting" fails_with 2 phonevpn config set url http://user:pa55word@pbx.example.com/
unlike "... and is not shown" "$(cat "$T/err" "$T/out")" pa55word
# Nor does one that was put into the database by other means reach DHCP.
cp -r "$T/state" "$T/tampered"
sqlite3 "$T/tampered/phonevpn.db" "UPDATE settings SET value = 'http://user:pa55word@pbx.example.com/' WHERE name = 'url'"
for server in isc kea dnsmasq; do
	ok "$server: a URL with a login is refused" fails_with 1 phonevpn --dir "$T/tampered" emit dhcp --server $server
	unlike "... and not shown" "$(cat "$T/err" "$T/out")" pa55word
done

# ---- the servers' own opinion of a whole configuration ----

network=198.18.200
# The rest of a server's configuration, as an admin has it.
isc_conf() {
	cat <<-END
		authoritative;
		default-lease-time 600;
		include "$1";
		subnet $network.0 netmask 255.255.255.0 { range $network.10 $network.99; }
	END
}
kea_conf() {
	jq -s '.[0] * .[1]' - "$1" <<-END
		{ "Dhcp4": {
			"interfaces-config": { "interfaces": [ "$2" ], "dhcp-socket-type": "raw" },
			"lease-database": { "type": "memfile", "persist": false },
			"subnet4": [ { "subnet": "$network.0/24", "interface": "$2", "pools": [ { "pool": "$network.10-$network.99" } ] } ]
		} }
	END
}
dnsmasq_conf() {
	cat <<-END
		port=0
		interface=$2
		bind-interfaces
		dhcp-range=$network.10,$network.99
		dhcp-leasefile=$T/dnsmasq.leases
		pid-file
		user=root
		conf-file=$1
	END
}
export KEA_PIDFILE_DIR=$T KEA_LOCKFILE_DIR=$T
for match in oui class; do
	isc_conf "$T/isc-$match" >"$T/dhcpd-$match.conf"
	kea_conf "$T/kea-$match" lo >"$T/kea-$match.conf"
	dnsmasq_conf "$T/dnsmasq-$match" lo >"$T/dnsmasq-$match.conf"
	ok "dhcpd -t takes it, by $match" dhcpd -t -cf "$T/dhcpd-$match.conf"
	ok "kea-dhcp4 -t takes it, by $match" kea-dhcp4 -t "$T/kea-$match.conf"
	ok "dnsmasq --test takes it, by $match" dnsmasq --test -C "$T/dnsmasq-$match.conf"
done

# ---- on the wire ----

if why=$(netns_missing); then
	skip 1 "$why"
	done_testing
	exit
fi
netns_server
netns_phone desk
link=phone1
ip -n "$(netns_name server)" address add "$network.1/24" dev "$link"
cat >"$T/lease.sh" <<-'END'
	#!/bin/sh
	# What dhclient was given, as it is told to its script; the address is not taken.
	case $reason in BOUND) printf '%s' "$new_tftp_server_name" >"$LEASE" ;; esac
END
chmod +x "$T/lease.sh"

# asked MAC CLASS: a DHCP client of that address and class gets a lease; $T/lease is the option's text.
asked() {
	rm -f "$T/lease"
	: >"$T/dhclient.leases"
	echo "send vendor-class-identifier \"$2\"; request subnet-mask, tftp-server-name;" >"$T/dhclient.conf"
	in_netns desk ip link set eth0 address "$1"
	spawn client in_netns desk dhclient -4 -d -cf "$T/dhclient.conf" -lf "$T/dhclient.leases" --no-pid \
		-sf "$T/lease.sh" -e "LEASE=$T/lease" eth0
	wait_until 20 test -e "$T/lease"
	stop client # it would stay to renew the lease
	# It puts a '\' before what a shell might take for its own.
	sed -i 's/\\\(.\)/\1/g' "$T/lease"
}
# gets WHAT MAC CLASS TEXT
gets() {
	ok "$1: a lease" asked "$2" "$3"
	is "$1" "$(cat "$T/lease")" "$4"
}

start() {
	: >"$T/dhcpd.leases"
	case $1 in
	isc) spawn dhcp in_netns server dhcpd -4 -d -cf "$T/running" -lf "$T/dhcpd.leases" --no-pid "$link" ;;
	kea) spawn dhcp in_netns server kea-dhcp4 -c "$T/running" ;;
	dnsmasq) spawn dhcp in_netns server dnsmasq -k --log-facility=- -C "$T/running" ;;
	esac
	ok "$1 runs" wait_until 10 printed dhcp 'Server starting service|DHCP4_STARTED|DHCP, IP range'
}

for server in isc kea dnsmasq; do
	for match in oui class; do
		"${server}_conf" "$T/$server-$match" "$link" >"$T/running"
		start $server
		gets "$server by $match: a phone gets the URL" $phone $class "$url"
		gets "$server by $match: a laptop gets none" $laptop 'MSFT 5.0' ""
		if [ $match = oui ]; then
			gets "$server: a phone of whatever class" $phone other "$url"
		else
			gets "$server: a phone with whatever address" $laptop digium_D40_1_1_0_0_48178 "$url"
		fi
		stop dhcp
	done
done

# All that a path may hold and that one of the three gives a meaning.
odd="https://pbx.example.com/a,b;c'd\$e(f)*g!h=i:j%20k&l/"
ok "a URL of awkward characters" phonevpn config set url "$odd"
for server in isc kea dnsmasq; do
	phonevpn emit dhcp --server $server >"$T/$server-odd"
	"${server}_conf" "$T/$server-odd" "$link" >"$T/running"
	start $server
	gets "$server: the phone gets an odd URL as it is" $phone $class "$odd"
	stop dhcp
done
done_testing
