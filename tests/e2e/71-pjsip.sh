#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Asterisk's side of the phones' accounts: what it reads from the file and from the tables is what stands in each phone's
# XML, to the last odd character, and what it would read as something else is refused.
. "$(dirname "$0")/lib.sh"

export PHONEVPN_DIR=$T/state
reader=$SOURCE/tests/e2e/asterisk.pl
chmod 711 "$T" # for PostgreSQL's own user

# Each has something in it that Asterisk, SQL or PostgreSQL's old strings take for their own.
cat >"$T/odd" <<'END'
plain
;semi
a;--b;c
a--;b
back\slash
x\;y
end\
;;;
--;
#include
[section]
a=>b
=>a
+=a
\lead
it's "q"
hat^
^3B
hat^3
^^5E;
two  blanks
${EXTEN}
%s$$&!
pä€ss
<x>
a;--
\\;\;
(!)
E'\047'
:name
;-- --;
END
count=$(wc -l <"$T/odd")
# Phones 300, 301, ...: the secret of one is the label of the next.
perl -e '
	my @odd = map { chomp; $_ } <STDIN>;
	print "mac,model,firmware,extension,secret,label,group\n";
	for my $i (0 .. $#odd) {
		my ($secret, $label) = map { s/"/""/gr } $odd[$i], $odd[$i - 1];
		printf qq(000fd30003%02x,D65,2_9_27,%d,"%s","%s",odd\n), $i, 300 + $i, $secret, $label;
	}' <"$T/odd" >"$T/odd.csv"

# What Asterisk has to read, in the order of the phones.
perl -pe 's/^/"auth " . (299 + $.) . " password="/e' "$T/odd" >"$T/passwords"
perl -ne '
	chomp;
	push @odd, s/(["\\])/\\$1/gr;
	END { print map { sprintf qq(endpoint %d callerid="%s" <%d>\n), 300 + $_, $odd[$_ - 1], 300 + $_ } 0 .. $#odd }
	' "$T/odd" >"$T/callerids"

ok "init" phonevpn init --vpn-host vpn.example.com --url http://pbx.example.com --ca-bits 2048
ok "the accounts are in the XML" phonevpn config set sip-server pbx.example.com
ok "import" phonevpn phone import "$SOURCE/doc/examples/fleet.csv"
ok "import of odd secrets and labels" phonevpn phone import "$T/odd.csv"

# ---- the file ----

ok "emit pjsip" phonevpn emit pjsip
cp "$T/out" "$T/phones.conf"
phonevpn emit pjsip >"$T/again.conf"
ok "a second time the same bytes" same_bytes "$T/again.conf" "$T/phones.conf"
ok "the file is read without a directive or a template" perl "$reader" file "$T/phones.conf"
cp "$T/out" "$T/read"
grep -E '^auth 3[0-9]+ password=' "$T/read" >"$T/found"
ok "every odd secret is read as it is" diff "$T/passwords" "$T/found"
grep -E '^endpoint 3[0-9]+ callerid=' "$T/read" >"$T/found"
ok "every odd label is read as it is" diff "$T/callerids" "$T/found"

# of TYPE NAME: its options
of() {
	sed -n "s/^$1 $2 //p" "$T/read" | sort
}
is "an endpoint for a phone behind the VPN" "$(of endpoint 203)" "$(sort <<'END'
type=endpoint
aors=203
auth=203
callerid="Dennis at home" <203>
disallow=all
allow=g722,ulaw,alaw
rewrite_contact=yes
rtp_symmetric=yes
force_rport=yes
direct_media=no
rtp_timeout=60
END
)"
is "an aor that lets a phone back in from another port" "$(of aor 203)" "$(sort <<'END'
type=aor
max_contacts=1
remove_existing=yes
qualify_frequency=60
END
)"
is "three objects a phone" "$(grep -c ' type=' "$T/read")" $((3 * (count + 8)))
like "the VPN's network is named for local_net" "$(grep '^;' "$T/phones.conf")" 'local_net=10\.8\.0\.0/16'

# account MAC ATTRIBUTE: as the phone is told, in libxml2's reading
account() {
	phonevpn emit xml "$1" | xmllint --xpath "string(/config/accounts/account/@$2)" -
}
for i in 0 5 15 23; do
	mac=$(printf 000fd30003%02x $i)
	extension=$((300 + i))
	for pair in authname:username password:password; do
		is "phone $extension and Asterisk agree on the ${pair#*:}" "$(account "$mac" "${pair%:*}")" \
			"$(of auth $extension | sed -n "s/^${pair#*:}=//p")"
	done
	is "phone $extension registers under the aor's name" "$(account "$mac" username)" \
		"$(of endpoint $extension | sed -n 's/^aors=//p')"
done

ok "a context" phonevpn emit pjsip 000fd3006501 --context from-phones
is "... is the phone's, and no other phone is there" "$(grep -E '^(\[|context)' "$T/out" | sort -u)" "$(printf '[203]\ncontext=from-phones')"
ok "a group" phonevpn emit pjsip --group home
is "... is those phones" "$(grep -c type=endpoint "$T/out")" 4
ok "a group that is none" fails_with 3 phonevpn emit pjsip --group nowhere
ok "a group and a MAC are wrong usage" fails_with 2 phonevpn emit pjsip --group home 000fd3006501
ok "a MAC twice is wrong usage" fails_with 2 phonevpn emit pjsip 000fd3006501 00:0f:d3:00:65:01
ok "another database is wrong usage" fails_with 2 phonevpn emit pjsip --realtime mysql
phonevpn emit pjsip --context $'a\n[x]' >"$T/printed" 2>"$T/said"
is "a context with a line break is wrong usage" $? 2
is "... with one line said, and nothing printed" "$(cat "$T/printed" "$T/said" | wc -l)" 1

# ---- pinned to the VPN ----

unlike "nothing is pinned unasked" "$(cat "$T/phones.conf")" '^deny'
ok "mint" phonevpn mint 000fd3006501
ok "vpn-only" phonevpn emit pjsip --group home --vpn-only
mv "$T/out" "$T/pinned.conf"
ok "... is read" perl "$reader" file "$T/pinned.conf"
is "... and pins the one phone that has a bundle" "$(grep deny= "$T/out")" 'endpoint 203 deny=0.0.0.0/0,::/0,!10.8.0.0/16'
phonevpn config set vpn-enable no
ok "vpn-only is refused where phones do not connect" fails_with 4 phonevpn emit pjsip --vpn-only
phonevpn config set vpn-enable yes

# ---- phones that are not written ----

csv() {
	printf 'mac,model,extension,secret,label,group\n' >"$T/more.csv"
	cat >>"$T/more.csv"
	phonevpn --quiet phone import "$T/more.csv" || bail_out "import of $1"
}
gone() {
	local mac
	for mac; do phonevpn --quiet phone remove "$mac" || bail_out "removal of $mac"; done
}

csv "phones without an account" <<-END
	000fd3000401,D65,401,,no secret,
	000fd3000402,D65,,pa55word,no extension,
END
ok "phones without an account keep no other back" phonevpn emit pjsip
unlike "... have no endpoint that is open to all" "$(cat "$T/out")" '401|402'
like "... and the one with an extension is named" "$(cat "$T/err")" '1 phone .*000fd3000401'
phonevpn --quiet emit pjsip >/dev/null 2>"$T/said"
is "... but not with --quiet" "$(cat "$T/said")" ""
ok "a phone without a secret, asked for by name" fails_with 3 phonevpn emit pjsip 000fd3000401
like "... with what to do" "$(cat "$T/err")" 'phone set 000fd3000401 --secret-file'
ok "a phone without an extension, asked for by name" fails_with 3 phonevpn emit pjsip 000fd3000402
gone 000fd3000401 000fd3000402

csv "two phones with one extension" <<-END
	000fd3000403,D65,203,pa55word,another,other
END
phonevpn emit pjsip >"$T/printed" 2>"$T/said"
is "two phones with one extension are a conflict" $? 4
like "... of these two" "$(cat "$T/said")" 'extension 203: .*000fd3000403 and 000fd3006501'
is "... and nothing is printed" "$(cat "$T/printed")" ""
phonevpn emit pjsip 000fd3006501 >"$T/printed" 2>"$T/said"
is "... also where one of them is named" $? 4
like "... of these two" "$(cat "$T/said")" 'extension 203: .*000fd3000403 and 000fd3006501'
is "... and nothing is printed" "$(cat "$T/printed")" ""
ok "each in a group of its own, which may have a PBX of its own, is none" phonevpn emit pjsip --group other
ok "a third phone is not held up" phonevpn emit pjsip 000fd3000300
gone 000fd3000403

csv "what cannot be said" <<END
000fd3000411,D65,411,">pa55word",,
000fd3000412,D65,412," pa55word",,
000fd3000413,D65,413,"pa55word ",,
000fd3000414,D65,414,";;;;;;;;;;;;;;;;;;;pa55word;;;;;;;;;;",,
000fd3000415,D65,415,pa55word,A label of more than forty characters in all,
000fd3000416,D65,416,pa55word,A label of more than eighty characters in all which is what Asterisk has for the name of a caller,
END
# refused FORM EXPECTED-MACS: together, each by its name, and nothing is printed
refused() {
	local name=$1 expected=$2
	shift 2
	phonevpn emit pjsip "$@" >"$T/printed" 2>"$T/said"
	is "$name: what cannot be said is an error" $? 1
	is "$name: each phone is named" "$(grep -o '^phonevpn: error: [0-9a-f]*' "$T/said" | sed 's/.* 000fd30004//' | xargs)" "$expected"
	unlike "$name: no secret is shown" "$(cat "$T/said")" 'pa55word|;;'
	is "$name: nothing is printed" "$(cat "$T/printed")" ""
}
refused file "11 12 13 16"
like "the rule is told: >" "$(cat "$T/said")" "000fd3000411 .*secret: .*'>'"
like "the rule is told: blanks" "$(cat "$T/said")" "000fd3000412 .*secret: .*blank"
for database in sqlite postgresql; do
	refused $database "12 13 14 15 16" --realtime $database
	like "$database: the rule is told: length" "$(cat "$T/said")" "000fd3000414 .*secret: .*80 characters.*found 95"
done
ok "a row may begin with >" phonevpn emit pjsip 000fd3000411 --realtime sqlite
gone 000fd3000411 000fd3000412 000fd3000413 000fd3000414 000fd3000415 000fd3000416

# ---- the tables ----

# The columns of Asterisk 20 to 22, as far as they matter here; TYPE of yes and no, and of auth_type.
schema() {
	cat <<-END
		CREATE TABLE ps_endpoints (id VARCHAR(255) NOT NULL UNIQUE, transport VARCHAR(40), aors VARCHAR(2048),
			auth VARCHAR(255), context VARCHAR(40), disallow VARCHAR(200), allow VARCHAR(200), direct_media $1,
			force_rport $1, rewrite_contact $1, rtp_symmetric $1, rtp_keepalive INTEGER, rtp_timeout INTEGER,
			rtp_timeout_hold INTEGER, callerid VARCHAR(40), mailboxes VARCHAR(40), deny VARCHAR(95),
			permit VARCHAR(95), acl VARCHAR(40), contact_deny VARCHAR(95), contact_permit VARCHAR(95),
			contact_acl VARCHAR(40));
		CREATE TABLE ps_aors (id VARCHAR(255) NOT NULL UNIQUE, contact VARCHAR(255), default_expiration INTEGER,
			mailboxes VARCHAR(80), max_contacts INTEGER, minimum_expiration INTEGER, remove_existing $1,
			qualify_frequency INTEGER, authenticate_qualify $1, maximum_expiration INTEGER,
			outbound_proxy VARCHAR(255), support_path $1, qualify_timeout FLOAT, voicemail_extension VARCHAR(40),
			remove_unavailable $1, qualify_2xx_only $1);
		CREATE TABLE ps_auths (id VARCHAR(255) NOT NULL UNIQUE, auth_type $2, nonce_lifetime INTEGER,
			md5_cred VARCHAR(40), password VARCHAR(80), realm VARCHAR(255), username VARCHAR(40),
			refresh_token VARCHAR(255), oauth_clientid VARCHAR(255), oauth_secret VARCHAR(255),
			password_digest VARCHAR(1024), supported_algorithms_uas VARCHAR(1024),
			supported_algorithms_uac VARCHAR(1024));
	END
}
sqlite_do() {
	sqlite3 -bail "$T/realtime.db"
}
postgresql_do() {
	psql -qAtX -v ON_ERROR_STOP=1
}
# query DATABASE SQL: rows of values with '|' between
query() {
	"$1_do" <<<"$2"
}

# The same tests for both, on empty tables.
tables() {
	local db=$1 row
	phonevpn emit pjsip --realtime "$db" >"$T/$db.sql" 2>"$T/said"
	ok "$db: the SQL is taken" "${db}_do" <"$T/$db.sql"
	is "$db: three rows a phone" "$(query "$db" 'SELECT (SELECT count(*) FROM ps_auths), (SELECT count(*) FROM ps_aors), (SELECT count(*) FROM ps_endpoints)')" \
		"$((count + 8))|$((count + 8))|$((count + 8))"
	query "$db" "SELECT password FROM ps_auths WHERE id LIKE '3__' ORDER BY id" | perl "$reader" row >"$T/found"
	ok "$db: every odd secret is read as it is" diff "$T/odd" "$T/found"
	query "$db" "SELECT callerid FROM ps_endpoints WHERE id LIKE '3__' ORDER BY id" | perl "$reader" row >"$T/found"
	sed 's/^endpoint [0-9]* callerid=//' "$T/callerids" >"$T/expected"
	ok "$db: every odd label is read as it is" diff "$T/expected" "$T/found"
	is "$db: a login" "$(query "$db" "SELECT auth_type, username, password FROM ps_auths WHERE id = '203'")" 'userpass|203|Kie9uNg8oot'
	is "$db: an aor that lets a phone back in from another port" \
		"$(query "$db" "SELECT max_contacts, remove_existing, qualify_frequency FROM ps_aors WHERE id = '203'")" '1|yes|60'
	row="SELECT aors, auth, disallow, allow, rewrite_contact, rtp_symmetric, force_rport, direct_media, rtp_timeout FROM ps_endpoints WHERE id = '203'"
	is "$db: an endpoint for a phone behind the VPN" "$(query "$db" "$row")" '203|203|all|g722,ulaw,alaw|yes|yes|yes|no|60'

	query "$db" "UPDATE ps_endpoints SET allow = 'opus', mailboxes = '203@default', rewrite_contact = 'no', deny = '192.0.2.0/24' WHERE id = '203';
		UPDATE ps_auths SET password = 'older' WHERE id = '203'; DELETE FROM ps_aors WHERE id = '203'"
	ok "$db: the SQL is taken again" "${db}_do" <"$T/$db.sql"
	is "$db: ... what is ours is as it was" "$(query "$db" "$row" | cut -d'|' -f1-3,5-)|$(query "$db" "SELECT password, max_contacts FROM ps_auths JOIN ps_aors ON ps_aors.id = ps_auths.id WHERE ps_auths.id = '203'")" \
		'203|203|all|yes|yes|yes|no|60|Kie9uNg8oot|1'
	is "$db: ... what the admin has set is, too" "$(query "$db" "SELECT allow, mailboxes, deny FROM ps_endpoints WHERE id = '203'")" 'opus|203@default|192.0.2.0/24'
	phonevpn --quiet emit pjsip --realtime "$db" --vpn-only --context from-phones >"$T/more.sql"
	ok "$db: the SQL of a pinned phone is taken" "${db}_do" <"$T/more.sql"
	is "$db: ... it is pinned, and has the context" "$(query "$db" "SELECT deny, context FROM ps_endpoints WHERE id = '203'")" '0.0.0.0/0,::/0,!10.8.0.0/16|from-phones'
	is "$db: ... a phone without a bundle is not" "$(query "$db" "SELECT count(*) FROM ps_endpoints WHERE deny IS NOT NULL")" 1

	printf 'newer' >"$T/newer"
	phonevpn --quiet phone set 000fd3006501 --secret-file "$T/newer"
	phonevpn --quiet emit pjsip --realtime "$db" >"$T/more.sql"
	query "$db" 'ALTER TABLE ps_endpoints DROP COLUMN rtp_timeout'
	! "${db}_do" <"$T/more.sql" 2>"$T/said"
	is "$db: tables of another Asterisk are an error" $? 0
	is "$db: ... and then nothing has changed" "$(query "$db" "SELECT password FROM ps_auths WHERE id = '203'")" Kie9uNg8oot
	printf 'Kie9uNg8oot' >"$T/newer"
	phonevpn --quiet phone set 000fd3006501 --secret-file "$T/newer"
}

schema 'VARCHAR(5)' 'VARCHAR(20)' | sqlite_do || bail_out "SQLite"
tables sqlite
phonevpn emit pjsip --realtime sqlite 2>"$T/said" >/dev/null
like "sqlite: who reads the escapes is told" "$(cat "$T/said")" 'phones with .* first is 000fd3000300.*res_config_odbc.*res_config_sqlite3'
phonevpn emit pjsip 000fd3006501 --realtime sqlite 2>"$T/said" >/dev/null
is "sqlite: ... where there are any" "$(cat "$T/said")" ""

# ---- PostgreSQL, a server of its own ----

postgres=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
as_postgres=()
mkdir "$T/postgres"
: >"$T/initdb"
if [ "$(id -u)" -eq 0 ]; then
	# It refuses to be root.
	as_postgres=(setpriv --reuid=postgres --regid=postgres --clear-groups)
	chown postgres: "$T/postgres"
fi
export PGHOST=$T/postgres PGPORT=5432 PGUSER=admin PGDATABASE=postgres
if ! [ -x "$postgres/initdb" ] || ! "${as_postgres[@]}" test -w "$T/postgres" ||
	! (cd / && "${as_postgres[@]}" "$postgres/initdb" -D "$T/postgres/data" -U admin -A trust -E UTF8 --no-sync) >"$T/initdb" 2>&1; then
	diag <"$T/initdb"
	skip 1 "no PostgreSQL that can be run here"
	done_testing
	exit
fi
spawn postgres "${as_postgres[@]}" "$postgres/postgres" -D "$T/postgres/data" -k "$T/postgres" -h '' -F
ok "PostgreSQL runs" wait_until 30 query postgresql 'SELECT 1'
{
	echo "CREATE TYPE ast_bool_values AS ENUM ('0', '1', 'off', 'on', 'false', 'true', 'yes', 'no');"
	echo "CREATE TYPE pjsip_auth_type_values_v2 AS ENUM ('md5', 'userpass', 'google_oauth');"
	schema ast_bool_values pjsip_auth_type_values_v2
} >"$T/schema.sql"
# Whatever the session says of backslashes and of the terminal's encoding, the values are the same.
for session in on/UTF8 off/LATIN1; do
	export PGOPTIONS="-c standard_conforming_strings=${session%/*} -c client_min_messages=error"
	export PGCLIENTENCODING=${session#*/}
	postgresql_do <"$T/schema.sql" || bail_out "PostgreSQL's tables"
	diag "standard_conforming_strings/client encoding: $session"
	# What is read is shown in UTF-8, as the file is.
	query() {
		[ "$1" = sqlite ] || local -x PGCLIENTENCODING=UTF8
		"$1_do" <<<"$2"
	}
	tables postgresql
	query postgresql 'DROP TABLE ps_endpoints, ps_aors, ps_auths; DROP TYPE ast_bool_values, pjsip_auth_type_values_v2'
done
done_testing
