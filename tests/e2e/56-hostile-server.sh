#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Web servers that mean ill, or are broken: a phone spends bounded memory and time on them, says what was wrong, and keeps
# the bundle that it has.
. "$(dirname "$0")/lib.sh"

MEMORY_MB=256 # a phone has little; an ordinary boot takes a tenth of it
SECONDS_MAX=30
mac=000fd3006501
export PHONEVPN_DIR=$T/state
phonevpn --quiet init --vpn-host vpn.example.com --url http://127.0.0.1:1 --ca-bits 2048 || bail_out init
phonevpn --quiet phone import "$SOURCE/doc/examples/fleet.csv" || bail_out import
phonevpn --quiet mint $mac || bail_out mint
phonevpn emit bundle $mac >"$T/old.ovpn"

mkdir "$T/other" "$T/www"
spawn other perl "$SOURCE/tests/e2e/hostile.pl" "$T/other"
wait_until 10 test -s "$T/other.out" || bail_out "no other host"
other=$(<"$T/other.out")
spawn hostile perl "$SOURCE/tests/e2e/hostile.pl" "$T/www" "$other"
wait_until 10 test -s "$T/hostile.out" || bail_out "no hostile server"
host=127.0.0.1:$(<"$T/hostile.out")

# as_file NAME [HEADER...]: an answer with standard input as the body, to be had as /file/NAME/...
as_file() {
	local name=$1
	shift
	cat >"$T/body"
	{
		printf 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %s\r\n' "$(stat -c %s "$T/body")"
		[ $# -eq 0 ] || printf '%s\r\n' "$@"
		printf '\r\n'
		cat "$T/body"
	} >"$T/www/$name"
}

# document URL MD5
document() {
	printf '<config><setting id="network_default_enable_openvpn" value="0"/>%s</config>\n' \
		"<setting id=\"openvpn_inline_config\" url=\"$1\" value=\"1\" md5=\"$2\"/>"
}

# Whether the binaries are built with AddressSanitizer, which maps terabytes and has a limit of its own.
if grep -q __asan_init "$BUILD/refphone"; then
	limit=(env "ASAN_OPTIONS=$ASAN_OPTIONS:hard_rss_limit_mb=$((2 * MEMORY_MB)):allocator_may_return_null=1")
else
	limit=(prlimit "--as=$((MEMORY_MB << 20))")
fi

# verify NAME URL: in $T/NAME.json; within memory and time.
verify() {
	timeout -k 5 "$SECONDS_MAX" "${limit[@]}" refphone --state "$T/phones/$1" verify --no-connect --config-url "$2" \
		>"$T/$1.json" 2>"$T/$1.err"
}

# keeps NAME: the bundle of before, by the bytes on the disk and by the phone's own word, and nothing beside it.
keeps() {
	local files=("$T/phones/$1"/*.ovpn*)
	[ ${#files[@]} -eq 1 ] && cmp "$T/old.ovpn" "${files[0]}" && [ -z "$(find "$T/phones/$1" -name '*.new')" ] &&
		refphone --state "$T/phones/$1" --json status |
		jq -e --arg md5 "$old_md5" '.configuration.stored and .configuration.md5 == $md5'
}

# survives NAME STATUS ERE URL
survives() {
	local status
	cp -a "$T/phone" "$T/phones/$1"
	verify "$1" "$4"
	status=$?
	[ "$status" -eq "$2" ] || {
		echo "expected status $2, found $status"
		cat "$T/$1.err"
		return 1
	}
	jq -r .reason "$T/$1.json" | grep -E -e "$3" || {
		echo "expected a reason like: $3"
		jq -r .reason "$T/$1.json"
		return 1
	}
	keeps "$1"
}

cases=0
# xml WHAT STATUS ERE PATH: the XML comes from there.
xml() {
	cases=$((cases + 1))
	ok "XML: $1" survives "xml$cases" "$2" "$3" "http://${login-}$host/$4"
}
# bundle WHAT STATUS ERE PATH: the XML is good, and the bundle comes from there.
bundle() {
	cases=$((cases + 1))
	document "http://${login-}$host/$4/b.ovpn" 0123456789abcdef0123456789abcdef | as_file "case$cases"
	ok "bundle: $1" survives "bundle$cases" "$2" "$3" "http://${login-}$host/file/case$cases"
}
# content WHAT ERE: a document that is whole, and bad (from standard input)
content() {
	cases=$((cases + 1))
	as_file "case$cases"
	ok "XML: $1" survives "content$cases" 12 "$2" "http://$host/file/case$cases"
}

old_md5=$(md5sum <"$T/old.ovpn" | cut -d' ' -f1)
as_file good <"$T/old.ovpn"
document "http://$host/file/good" "$old_md5" | as_file first
mkdir "$T/phones"
ok "a phone with a bundle" fails_with 14 refphone --state "$T/phone" --mac $mac --model D65 --firmware 2_7_0 verify \
	--config-url "http://$host/file/first"
cp -a "$T/phone" "$T/phones/good"
ok "... it is within the limits that the others have" fails_with 14 verify good "http://$host/file/first"
ok "... which has it still" keeps good

# ---- time: these wait, beside all the others ----
cp -a "$T/phone" "$T/phones/stalled"
cp -a "$T/phone" "$T/phones/drip"
cp -a "$T/phone" "$T/phones/silent"
for name in stalled drip silent; do
	spawn $name timeout -k 5 70 refphone --state "$T/phones/$name" verify --no-connect --config-url "http://$host/$name"
done

# ---- size ----
for kind in xml bundle; do
	[ $kind = xml ] && unreachable=10 || unreachable=17
	most='expected at most 1048576 bytes, found more'
	$kind "endless" "$unreachable" "$most" endless
	$kind "endless, in chunks" "$unreachable" "$most" endless-chunked
	$kind "1 GiB by its Content-Length" "$unreachable" "$most" gigabyte
	$kind "a Content-Length longer than the body" "$unreachable" "remaining to read" longer
	$kind "a negative Content-Length" "$unreachable" "not fetched: .*Content-Length" negative
	$kind "a chunk longer than 64 bits" "$unreachable" "not fetched: .*(hunk|hex)" huge-chunk
	$kind "endless headers" "$unreachable" "expected at most 65536 bytes of headers, found more" endless-headers
	$kind "an endless header" "$unreachable" "not fetched|of headers, found more" endless-header
	$kind "endless 100 Continue" "$unreachable" "expected at most 65536 bytes of headers, found more" endless-interim

	# ---- redirects ----
	$kind "a redirect to file:" "$unreachable" 'not fetched: .*"?file"? ' to-file
	$kind "a redirect to ftp:" "$unreachable" 'not fetched: .*"?ftp"? ' to-ftp
	$kind "a redirect to gopher:" "$unreachable" 'not fetched: .*"?gopher"? ' to-gopher
	$kind "a redirect to itself" "$unreachable" "not fetched: .*redirects" to-itself

	# ---- answers ----
	$kind "garbage instead of HTTP" "$unreachable" "not fetched: " garbage
	$kind "an answer of HTTP/0.9" "$unreachable" "not fetched: .*HTTP/0.9" old
	$kind "a status that is no number" "$unreachable" "not fetched: " not-a-number
	$kind "204" "$unreachable" "expected HTTP 200, found 204" no-content
	$kind "206, a part of it" "$unreachable" "expected HTTP 200, found 206" partial
	$kind "304, though nothing was asked on a condition" "$unreachable" "expected HTTP 200, found 304" not-modified
	$kind "closed before a word" "$unreachable" "not fetched: .*[Ee]mpty reply" closed
	login=u:s3cret@
	$kind "401 whatever the login" 11 "expected HTTP 200, found 401" unauthorized
	$kind "a nonce that is always stale" 11 "expected HTTP 200, found 401" stale
	login=
done
bundle "empty" 16 "expected 0123456789abcdef0123456789abcdef, found d41d8cd98f00b204e9800998ecf8427e" empty
xml "empty" 12 "expected a <config> document, found nothing" empty
document "https://$host/kept/b.ovpn" 0123456789abcdef0123456789abcdef | as_file tls
ok "bundle: https where the server speaks http" survives tls 17 "not fetched: .*(SSL|TLS)" "http://$host/file/tls"
ok "XML: https where the server speaks http" survives tls-xml 10 "not fetched: .*(SSL|TLS)" "https://$host/kept"

# ---- another host: it gets no login, neither a header nor in the URL ----
login=u:s3cret@
for auth in basic any; do
	cp -a "$T/phone" "$T/phones/to-host-$auth"
	rm -f "$T/other/asked"
	ok "XML: a redirect to another host, --auth $auth: followed" fails_with 14 refphone --state "$T/phones/to-host-$auth" \
		verify --no-connect --auth $auth --config-url "http://$login$host/to-host"
	like "... it was asked" "$(cat "$T/other/asked")" "^GET /kept "
	unlike "... without a login" "$(cat "$T/other/asked")" "s3cret|[Aa]uthorization|dTpzM2NyZXQ="
	ok "... the old bundle is kept" keeps "to-host-$auth"
done
rm -f "$T/other/asked"
bundle "a redirect to another host" 16 "found " to-host
unlike "... it gets no login" "$(cat "$T/other/asked")" "s3cret|[Aa]uthorization|dTpzM2NyZXQ="
login=
unlike "no other protocol than HTTP reached that host" "$(cat "$T/other/asked")" "^(USER|EPSV|x)"

# ---- content ----
data=$SOURCE/tests/data/xml
content "billion laughs" "expected no DOCTYPE" <"$data/billion-laughs.cfg"
content "a quadratic blow-up" "expected no DOCTYPE" <"$data/quadratic-blowup.cfg"
content "an external entity" "expected no DOCTYPE" <"$data/external-entity.cfg"
content "a parameter entity" "expected no DOCTYPE" <"$data/parameter-entity.cfg"
content "a DTD somewhere else" "expected no DOCTYPE" <"$data/doctype-external-dtd.cfg"
content "a DTD of its own" "expected no DOCTYPE" <"$data/doctype-only.cfg"
content "a NUL byte" "expected text, found a NUL byte" <"$data/nul-inside.cfg"
content "more behind the end" "expected text, found a NUL byte" <"$data/nul-and-more-behind-the-end.cfg"
content "100,000 elements in each other" "XML: .*depth" < <(
	perl -e 'print "<config>", "<a>" x 100000, "</a>" x 100000, "</config>"'
)
content "an attribute of a megabyte" "tags and comments of at most 32768 bytes" < <(
	perl -e 'print "<config><setting id=\"", "x" x 1000000, "\" value=\"1\"/></config>"'
)
content "100,000 attributes" "tags and comments of at most 32768 bytes" < <(
	perl -e 'print "<config><setting ", (map { "a$_=\"\" " } 1 .. 100000), "/></config>"'
)
content "a comment of a megabyte" "tags and comments of at most 32768 bytes" < <(
	perl -e 'print "<config><!--", "x" x 1000000, "--></config>"'
)
content "a megabyte of references" "XML: " < <(perl -e 'print "<config>", "&lol;" x 200000, "</config>"')
content "a megabyte of nothing" "XML: " < <(head -c 1000000 /dev/zero)
head -c 104857600 /dev/zero | gzip -9 >"$T/bomb.gz"
as_file bomb "Content-Encoding: gzip" <"$T/bomb.gz"
ok "XML: a gzip bomb, taken as it is" survives bomb 12 "expected a well-formed document" "http://$host/file/bomb"
document "http://$host/file/bomb/b.ovpn" "$(head -c 104857600 /dev/zero | md5sum | cut -d' ' -f1)" | as_file bomb-xml
ok "bundle: a gzip bomb, taken as it is" survives bomb-bundle 16 "found $(md5sum <"$T/bomb.gz" | cut -d' ' -f1)" \
	"http://$host/file/bomb-xml"

# ---- time ----
for name in stalled silent drip; do
	ok "XML: $name: given up in time" wait_until 70 ended $name
	ok "... which counts as unreachable" fails_with 10 joined $name
	like "... and is said" "$(jq -r .reason "$T/$name.out")" "not fetched: .*(too slow|timed out)"
	ok "... the old bundle is kept" keeps $name
done
done_testing
