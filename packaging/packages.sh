#!/bin/sh
# SPDX-License-Identifier: ISC
#
# packages.sh build|demo|lint|fuzz|check|bench: install the Debian 12 packages that this needs and the machine lacks.
# packages.sh --missing ...: only print their names.
#
# Without root it asks sudo; where that cannot work it names the packages in one line and stops with status 1.
set -u

build="gcc make libc6-dev pkg-config libssl-dev libmicrohttpd-dev libsqlite3-dev libcurl4-openssl-dev libjansson-dev
	libxml2-dev libcsv-dev libarchive-dev libgnutls28-dev libsystemd-dev"
demo="$build openvpn iproute2 iputils-ping procps"
lint="$build binutils cppcheck clang-format shellcheck mandoc"
fuzz="$build clang libclang-rt-14-dev curl perl"
check="$demo $lint $fuzz libcmocka-dev valgrind perl curl openssl libxml2-utils nginx lighttpd sqlite3 jq
	netcat-openbsd util-linux bsdextrautils easy-rsa chromium nodejs npm ca-certificates
	isc-dhcp-server isc-dhcp-client kea-dhcp4-server dnsmasq-base postgresql
	haproxy systemd fail2ban"
bench="$demo curl openssl easy-rsa gnutls-bin strongswan-pki nginx lighttpd apache2-utils"

# Their packages start them, now and at every boot; only the programs are wanted.
servers="nginx lighttpd isc-dhcp-server kea-dhcp4-server postgresql haproxy fail2ban"

die() {
	echo "packages.sh: $*" >&2
	exit 1
}

usage() {
	echo "usage: packages.sh [--missing] build|demo|lint|fuzz|check|bench" >&2
	exit 2
}

only_print=
if [ "${1-}" = --missing ]; then
	only_print=1
	shift
fi
[ $# -eq 1 ] || usage
kind=$1
case $kind in
build) wanted=$build ;;
demo) wanted=$demo ;;
lint) wanted=$lint ;;
fuzz) wanted=$fuzz ;;
check) wanted=$check ;;
bench) wanted=$bench ;;
*) usage ;;
esac

# shellcheck disable=SC2086 # a list of names
set -- $wanted
command -v dpkg-query >/dev/null || die "this is no Debian; install what these packages of Debian 12 hold: $*"
missing=
for package; do
	case " $missing " in *" $package "*) continue ;; esac
	# The nodejs of others has npm in it, and does not go together with Debian's.
	case $package in npm) command -v npm >/dev/null && continue ;; esac
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
		missing="${missing:+$missing }$package"
done
if [ -n "$only_print" ]; then
	[ -z "$missing" ] || echo "$missing"
	exit 0
fi
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
	no_root="there is neither root nor sudo to install what is missing: $missing"
	command -v sudo >/dev/null || die "$no_root"
	# sudo may ask for a password only where there is somebody to type it.
	if [ -t 0 ] && [ -t 2 ]; then
		sudo -v || die "$no_root"
		exec sudo sh "$0" "$kind"
	fi
	sudo -n true 2>/dev/null || die "$no_root"
	exec sudo -n sh "$0" "$kind"
fi

newly=
for server in $servers; do
	# PostgreSQL's service comes with another package, which may be there, and in use, already.
	[ "$server" != postgresql ] || [ ! -e /etc/init.d/postgresql ] || continue
	case " $missing " in *" $server "*) newly="$newly $server" ;; esac
done

# Before a package starts its service, policy-rc.d(8) is asked. Ours refuses these servers, and only while we live.
policy=/usr/sbin/policy-rc.d
policy_ours=
cleanup() {
	[ -z "$policy_ours" ] || rm -f "$policy"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
if [ -n "$newly" ] && [ ! -e "$policy" ]; then
	policy_ours=1
	cat >"$policy" <<-END
		#!/bin/sh
		# Written by phonevpn's packages.sh, which removes it when it ends.
		kill -0 $$ 2>/dev/null || exit 0
		for word; do
		for server in $newly; do
		case \$word in \$server | \$server.service | \$server@*) exit 101 ;; esac
		done
		done
		exit 0
	END
	chmod 755 "$policy"
else
	# Another's is left as it is, and has to refuse them as well.
	for server in $newly; do
		"$policy" "$server" start >/dev/null 2>&1
		[ $? -eq 101 ] || die "$policy would let $server start: let it exit with 101 for$newly, and come again"
	done
fi

echo "packages.sh: installing $missing" >&2
export DEBIAN_FRONTEND=noninteractive
options="-q -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300"
# shellcheck disable=SC2086 # a list of options
apt-get $options update || echo "packages.sh: apt-get update failed; going on with the lists that are there" >&2
# shellcheck disable=SC2086 # two lists
apt-get $options install -y --no-install-recommends $missing </dev/null ||
	die "apt-get could not install all of these, see above: $missing"
for server in $newly; do
	update-rc.d "$server" disable >/dev/null 2>&1
done
exit 0
