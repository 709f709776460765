#!/bin/bash
# SPDX-License-Identifier: ISC
#
# fuzz/http_seeds.sh FOLDER: what curl really sends, as inputs for http_fuzz.c, a connection a file: its requests are
# parted by a byte 0x1e, and its nonces and responses are the words that the fuzz target replaces.
set -eu
mkdir -p "$1"
folder=$(realpath "$1")
a=000fd3000001
new=000fd3000003
bundle=/ovpn/8b1a9953c4611296a827abf8c47804d7/$a.ovpn

scratch=$(mktemp -d)
recorder=
trap '[ -z "$recorder" ] || kill "$recorder"; rm -rf "$scratch"' EXIT
cat >"$scratch/record.pl" <<'PERL'
# A server that takes whatever login it is sent, and keeps what it was sent.
use IO::Socket::INET;
$| = 1;
my ($folder) = @ARGV;
my $listener = IO::Socket::INET->new(Listen => 8, LocalAddr => "127.0.0.1", LocalPort => 0) or die;
print $listener->sockport, "\n";
while (my $s = $listener->accept) {
	my ($name, @requests) = ("none");
	while (1) {
		my $text = "";
		while ($text !~ /\r\n\r\n/) { sysread($s, $text, 65536, length $text) or last }
		last unless length $text;
		$name = $1 if $text =~ s/^X-Seed: (\S+)\r\n//m;
		my ($length) = $text =~ /^Content-Length: (\d+)\r\n/mi;
		my ($body) = $text =~ /\r\n\r\n(.*)/s;
		syswrite $s, "HTTP/1.1 100 Continue\r\n\r\n" if $text =~ /^Expect: 100/mi;
		while (length $body < ($length // 0)) {
			sysread($s, my $more, 65536) or last;
			$text .= "\x1e$more";
			$body .= $more;
		}
		while ($text =~ /^Transfer-Encoding: chunked/mi && $text !~ /\r\n0\r\n\r\n\z/) {
			sysread($s, my $more, 65536) or last;
			$text .= "\x1e$more";
		}
		$text =~ s/response="[0-9a-f]+"/response="RIGHT_RESPONSE"/;
		push @requests, $text;
		my $nonce = $text =~ /^X-Forwarded-For:/mi ? "PROXY_NONCE" : "PEER_NONCE";
		my $more = $name =~ /qop/ ? "" : ", qop=\"auth\"";
		my $algorithm = $name =~ /sha256/ ? "SHA-256" : "MD5";
		my $scheme = $name =~ /basic/ ? "Basic realm=\"phonevpn\""
			: "Digest realm=\"phonevpn\", algorithm=$algorithm, nonce=\"$nonce\"$more";
		my $status = $text =~ /^Authorization: .*(RIGHT_RESPONSE|Basic)/m ? "200 OK" : "401 Unauthorized\r\nWWW-Authenticate: $scheme";
		syswrite $s, "HTTP/1.1 $status\r\nContent-Length: 0\r\n\r\n";
	}
	close $s;
	open my $out, ">", "$folder/$name" or die;
	print $out join("\x1e", @requests);
	close $out;
	print "$name\n";
}
PERL
perl "$scratch/record.pl" "$folder" >"$scratch/told" &
recorder=$!
until [ -s "$scratch/told" ]; do sleep 0.05; done
port=$(head -n 1 "$scratch/told")

# ask NAME OPTION... PATH...
ask() {
	local name=$1 arguments=() argument
	shift
	for argument; do
		case $argument in
		/*) arguments+=("http://127.0.0.1:$port$argument") ;;
		*) arguments+=("$argument") ;;
		esac
	done
	curl -s --max-time 10 -o body -H "X-Seed: $name" -H 'Host: phones.example.com' "${arguments[@]}" || true
	until grep -qx "$name" told; do sleep 0.05; done
}
cd "$scratch" # its files by their names alone: what begins with a slash is a path at the server
echo body >file
login=(-u "$a:secret")
ask digest --digest "${login[@]}" "/$a.cfg"
ask bundle --digest "${login[@]}" "$bundle"
ask both-files --digest "${login[@]}" -o body2 "/$a.cfg" "$bundle"
ask sha256 --digest "${login[@]}" "$bundle"
ask without-qop --digest "${login[@]}" "/$a.cfg"
ask has-it --digest "${login[@]}" -H 'If-None-Match: "8b1a9953c4611296a827abf8c47804d7"' "$bundle"
ask head --digest "${login[@]}" --head "$bundle"
ask old-http --http1.0 --digest "${login[@]}" "/$a.cfg"
ask proxied --digest "${login[@]}" -H 'X-Forwarded-For: 203.0.113.9, 192.0.2.7' "/$a.cfg"
ask proxied-twice --digest "${login[@]}" -H 'X-Forwarded-For: 192.0.2.7' -H 'X-Forwarded-For: 2001:db8::1,198.51.100.3' "$bundle"
ask absolute --digest "${login[@]}" -x "http://127.0.0.1:$port" "http://user:pass@phones.example.com/$a.cfg?query=1"
ask basic --basic "${login[@]}" "/$a.cfg"
ask enroll -H 'X-Forwarded-For: 192.0.2.7' "/$new.cfg"
ask generic -A 'Digium D65 2_7_0' -e 'http://example.com/"' /000000000000.cfg
ask post -d name=value "/$a.cfg"
ask upload -H 'Expect: 100-continue' -T file "/$a.cfg"
ask chunked -H 'Transfer-Encoding: chunked' -d @file "/$a.cfg"
ask ranges -r 0-10 --compressed -b cookie=1 "/$a.cfg?%00%2e%2e"
