#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Killed at 200 random moments, a mint of 2,000 phones loses no serial and gives none twice, leaves no phone with half a
# generation, and never changes what a phone is served that was done before.
. "$(dirname "$0")/lib.sh"
plan 8

kills=${KILLS:-200}
phones=2000
export PHONEVPN_DIR=$T/state
db=$PHONEVPN_DIR/phonevpn.db
phonevpn --quiet init --vpn-host vpn.example.com --url http://pbx.example.com --ca-bits 2048 || bail_out "init"
perl -e 'print "mac,model,group\n"; printf "000fd31%05x,D65,g%d\n", $_, $_ / 100 for 0 .. shift() - 1' "$phones" >"$T/fleet.csv"
phonevpn --quiet phone import "$T/fleet.csv" || bail_out "import"
# A part of the keys is ready beforehand: those leave the pool once.
phonevpn --quiet keypool fill 300 || bail_out "keypool fill"

# What the database itself can tell, in one look: every row stands for something wrong, by its name.
wrong='
SELECT "serial twice " || hex(serial) FROM certificates GROUP BY serial HAVING count(*) > 1;
SELECT "certificate without a generation " || hex(serial) FROM certificates WHERE kind = "phone" AND serial NOT IN (SELECT serial FROM generations);
SELECT "generation without a certificate " || phone FROM generations WHERE serial NOT IN (SELECT serial FROM certificates);
SELECT "generation without a profile " || phone FROM generations WHERE profile NOT IN (SELECT hash FROM profiles);
SELECT "gap in the generations of " || phone FROM generations GROUP BY phone HAVING max(number) <> count(*);
SELECT "offered, but not there " || mac FROM phones AS p WHERE offered IS NOT NULL
	AND NOT EXISTS (SELECT 1 FROM generations WHERE phone = p.id AND number = p.offered);
SELECT "half a certificate " || hex(serial) FROM certificates WHERE length(cert) < 500 OR length(sealed_key) < 1000;
'
# Each time it would take most of the test's time.
deep='
SELECT "foreign key " || "table" FROM pragma_foreign_key_check;
SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> "ok";
'
offers() {
	sqlite3 "$db" 'SELECT p.mac, g.number, hex(g.md5) FROM phones AS p JOIN generations AS g ON g.phone = p.id AND g.number = p.offered ORDER BY 1'
}
generations() {
	sqlite3 "$db" 'SELECT phone, number, hex(serial), hex(md5) FROM generations ORDER BY 1, 2'
}

# What the next run has to do: all that is left, and when nothing is, something new.
task=(--all)
round=0
next_task() {
	round=$((round + 1))
	case $((round % 2)) in
	1) phonevpn --quiet config set vpn-verb "$((round % 4 + 1))" ;;
	0) phonevpn --quiet config set phone-days "$((1000 + round))" ;;
	esac
	task=(--all)
	[ $((round % 2)) -eq 1 ] || task=(--group "g$((round % 20))" --rekey)
}

killed=0
finished=0
broken=0
lost=0
served=0
: >"$T/generations"
: >"$T/offers"
while [ "$killed" -lt "$kills" ] && [ "$finished" -lt $((3 * kills)) ]; do
	delay=$(perl -e 'printf "%.3f", 0.05 + rand 0.5')
	phonevpn --quiet mint "${task[@]}" >"$T/mint.out" 2>&1 &
	victim=$!
	sleep "$delay"
	if kill -KILL "$victim" 2>/dev/null; then
		wait "$victim" 2>/dev/null
		killed=$((killed + 1))
	elif wait "$victim"; then
		finished=$((finished + 1))
		next_task
	else
		diag "a mint failed by itself:"
		diag <"$T/mint.out"
		broken=$((broken + 1))
	fi
	look=$wrong
	[ $((killed % 10)) -ne 0 ] || look=$wrong$deep
	if [ -n "$(sqlite3 "$db" "$look" | tee "$T/wrong")" ]; then
		diag "after kill $killed:"
		head -n 5 "$T/wrong" | diag
		broken=$((broken + 1))
	fi
	generations >"$T/generations.now"
	[ -z "$(comm -23 <(sort "$T/generations") <(sort "$T/generations.now"))" ] || lost=$((lost + 1))
	offers >"$T/offers.now"
	# A phone that was done keeps its offer until it gets a later one: never none, never an older one.
	join -t'|' "$T/offers" "$T/offers.now" >"$T/both"
	[ "$(wc -l <"$T/both")" -eq "$(wc -l <"$T/offers")" ] || served=$((served + 1))
	awk -F'|' '$4 < $2 || ($4 == $2 && $5 != $3) { bad = 1 } END { exit bad }' "$T/both" || served=$((served + 1))
	mv "$T/generations.now" "$T/generations"
	mv "$T/offers.now" "$T/offers"
done
diag "$killed killed, $finished came to their end, $(wc -l <"$T/generations") generations"
is "so many were killed" "$killed" "$kills"
is "the database was whole after each" "$broken" 0
is "no generation was lost or changed" "$lost" 0
is "no phone's offer was taken away or went back" "$served" 0
ok "the event log's chain is whole" phonevpn events --verify
ok "the next run finishes the fleet" phonevpn mint --all
is "... all of it" "$(sqlite3 "$db" 'SELECT count(*) FROM phones WHERE offered IS NOT NULL')" "$phones"

# Every bundle that is served, by the md5 in its XML; and no two phones with one key, whether it came from the pool or not.
phonevpn --quiet export --out "$T/tree" >/dev/null || bail_out "export"
cat >"$T/tree.pl" <<'END'
use Digest::MD5 qw(md5_hex);
my (%keys, $good);
sub slurp { open my $f, "<:raw", $_[0] or die "$_[0]: $!"; local $/; <$f> }
for my $path (glob "$ARGV[0]/ovpn/*/*.ovpn") {
	my ($md5, $mac) = $path =~ m{([0-9a-f]{32})/([0-9a-f]{12})\.ovpn$} or die $path;
	my $bundle = slurp($path);
	my ($key) = $bundle =~ m{<key>(.*?)</key>}s or die $path;
	$keys{$key}++;
	$good++ if md5_hex($bundle) eq $md5 && slurp("$ARGV[0]/$mac.cfg") =~ /md5="?$md5\b/;
}
printf "%d %d\n", $good, scalar keys %keys;
END
is "every md5 is that of its bundle and stands in the phone's XML, and no two phones have one key" \
	"$(perl "$T/tree.pl" "$T/tree")" "$phones $phones"
