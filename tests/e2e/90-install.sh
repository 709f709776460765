#!/bin/bash
# SPDX-License-Identifier: ISC
#
# make install puts down what it says, and make uninstall takes exactly that away.
. "$(dirname "$0")/lib.sh"

in_tree() {
	make -s -C "$SOURCE" BUILD="$BUILD" DESTDIR="$T/root" PREFIX=/usr "$@"
}
mkdir -p "$T/root/usr/bin" && echo other >"$T/root/usr/bin/other"
ok "make install" in_tree install
for file in usr/bin/phonevpn usr/bin/refphone usr/share/man/man1/phonevpn.1 usr/share/man/man1/refphone.1 usr/share/man/man5/fleet.csv.5; do
	ok "$file is there" test -s "$T/root/$file"
done
for file in lib/systemd/system/phonevpn.service lib/systemd/system/phonevpn.socket lib/systemd/system/phonevpn-watch.service \
	lib/systemd/system/phonevpn-rollout.service lib/systemd/system/phonevpn-rollout.timer lib/systemd/system/phonevpn-crl.service \
	lib/systemd/system/phonevpn-crl.timer lib/sysusers.d/phonevpn.conf \
	share/doc/phonevpn/examples/fail2ban/filter.d/phonevpn.conf; do
	ok "$file is there" test -s "$T/root/usr/$file"
done
like "the unit starts the installed program" "$(cat "$T/root/usr/lib/systemd/system/phonevpn.service")" '^ExecStart=/usr/bin/phonevpn serve'
ok "the installed program runs" "$T/root/usr/bin/phonevpn" --version
ok "the other too" "$T/root/usr/bin/refphone" --version
ok "refphone links no SQLite" fails_with 1 sh -c "ldd '$T/root/usr/bin/refphone' | grep sqlite"
ok "... and no systemd" fails_with 1 sh -c "readelf -d '$T/root/usr/bin/refphone' | grep systemd"
for page in phonevpn refphone; do
	ok "$page(1) knows every command" sh -c "
		for c in \$($page --help | awk '/^commands:/ { on = 1; next } /^\$/ { on = 0 } on { print \$1 }' | sort -u); do
			mandoc -T ascii '$T/root/usr/share/man/man1/$page.1' | col -b | grep -q \"\$c\" || exit 1
		done"
done
ok "make uninstall" in_tree uninstall
is "... leaves what is not ours" "$(find "$T/root" -type f)" "$T/root/usr/bin/other"
done_testing
