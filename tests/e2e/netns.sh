# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# Networks of network namespaces: one of a server, and any number of phones that are each linked to it and see nothing
# else. Needs nothing of lib.sh; whoever uses it calls netns_cleanup at the end (lib.sh does).
#
#	why=$(netns_missing) && skip_all "$why"
#	netns_server
#	netns_phone desk1
#	in_netns server phonevpn serve --listen "$NETNS_SERVER:0" ...
#	in_netns desk1 ping -c 1 "$NETNS_SERVER"
#
# Names are of this process, and the addresses (198.18.0.0/15, for measurements: RFC 2544) exist inside the namespaces
# only: nothing outside changes.

# The server's address, the same on each of its links; a phone's is made of its number.
NETNS_SERVER=198.18.0.1
netns_names=()
netns_phones=0

# The name that ip(8) knows.
netns_name() {
	echo "phonevpn-$$-$1"
}

# in_netns NAME COMMAND...: runs it there.
in_netns() {
	local name=$1
	shift
	ip netns exec "$(netns_name "$name")" "$@"
}

# Why there can be no namespaces or no TUN device in them, in one line; fails when there can.
netns_missing() {
	local probe
	command -v ip >/dev/null || {
		echo "no program ip (package iproute2)"
		return 0
	}
	[ "$(id -u)" -eq 0 ] || {
		echo "network namespaces need root"
		return 0
	}
	[ -c /dev/net/tun ] || {
		echo "no TUN device (/dev/net/tun)"
		return 0
	}
	probe=$(netns_name probe)
	ip netns add "$probe" 2>/dev/null || {
		echo "this machine allows no network namespaces"
		return 0
	}
	if ! ip netns exec "$probe" true 2>/dev/null; then
		echo "this machine allows no process in a network namespace"
	elif ! ip -n "$probe" link add name veth0 type veth peer name veth1 2>/dev/null; then
		echo "this machine allows no veth links between network namespaces"
	elif ! ip netns exec "$probe" ip tuntap add dev tun0 mode tun 2>/dev/null; then
		echo "this machine allows no TUN device in a network namespace"
	else
		ip netns delete "$probe"
		return 1
	fi
	ip netns delete "$probe" 2>/dev/null
	return 0
}

netns_add() {
	local name
	name=$(netns_name "$1")
	netns_names+=("$1")
	ip netns add "$name" && ip -n "$name" link set lo up
}

netns_server() {
	netns_add server
}

# netns_phone NAME: a namespace linked to the server's. Its address is printed by netns_address NAME.
netns_phone() {
	local phone server link address
	netns_phones=$((netns_phones + 1))
	[ "$netns_phones" -le 60000 ] || return 1
	phone=$(netns_name "$1")
	server=$(netns_name server)
	link=phone$netns_phones
	address=198.18.$((1 + netns_phones / 250)).$((1 + netns_phones % 250))
	netns_add "$1" &&
		ip link add name "$link" netns "$server" type veth peer name eth0 netns "$phone" &&
		ip -n "$server" address add "$NETNS_SERVER" peer "$address" dev "$link" &&
		ip -n "$server" link set "$link" up &&
		ip -n "$phone" address add "$address" peer "$NETNS_SERVER" dev eth0 &&
		ip -n "$phone" link set eth0 up
}

netns_address() {
	ip -n "$(netns_name "$1")" -4 -o address show dev eth0 | awk '{ print $4 }'
}

# Processes in them are their starter's to end; one left behind keeps only its own, nameless, namespace.
netns_cleanup() {
	local i
	for ((i = ${#netns_names[@]} - 1; i >= 0; i--)); do
		ip netns delete "$(netns_name "${netns_names[i]}")" 2>/dev/null
	done
	netns_names=()
	netns_phones=0
	return 0
}
