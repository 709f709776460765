#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# hostile.pl FOLDER [PORT]: a web server that means ill. It listens on 127.0.0.1, prints its port, and does what the first
# part of the path says, whatever follows; PORT is another host's, to be sent to. "/file/NAME/..." sends FOLDER/NAME as it
# is, headers included. What it was asked, with the headers, is appended to FOLDER/asked.
use strict;
use warnings;
use IO::Socket::INET;

my ($folder, $other) = @ARGV;
my $chunk = 'x' x 65536;
my $socket;
$SIG{PIPE} = 'IGNORE';
$SIG{CHLD} = 'IGNORE';
$| = 1;

# put(TEXT): false when the phone has hung up, or takes nothing more.
sub put {
	my ($text) = @_;
	while (length $text) {
		my $n = syswrite($socket, $text);
		return 0 unless $n;
		substr($text, 0, $n) = '';
	}
	return 1;
}

sub head {
	my ($status, @headers) = @_;
	return put(join("\r\n", "HTTP/1.1 $status", 'Connection: close', @headers, '', ''));
}

sub body {
	my ($status, $text, @headers) = @_;
	head($status, 'Content-Length: ' . length($text), @headers) && put($text);
}

sub forever {
	my ($text) = @_;
	1 while put($text);
}

sub to {
	my ($url) = @_;
	body('302 Found', '', "Location: $url");
}

my %ill = (
	'endless' => sub { head('200 OK') && forever($chunk) },
	'endless-chunked' => sub {
		head('200 OK', 'Transfer-Encoding: chunked') && forever("10000\r\n$chunk\r\n");
	},
	'gigabyte' => sub {
		head('200 OK', 'Content-Length: 1073741824') && forever($chunk);
	},
	'longer' => sub { head('200 OK', 'Content-Length: 1000') && put('<config></config>') },
	'negative' => sub { head('200 OK', 'Content-Length: -1') && forever($chunk) },
	'huge-chunk' => sub { head('200 OK', 'Transfer-Encoding: chunked') && put("ffffffffffffffffff\r\n") && forever($chunk) },
	'endless-headers' => sub { put("HTTP/1.1 200 OK\r\n") && forever('X-H: ' . 'h' x 500 . "\r\n") },
	'endless-header' => sub { put("HTTP/1.1 200 OK\r\nX-H: ") && forever($chunk) },
	'endless-interim' => sub { forever("HTTP/1.1 100 Continue\r\n\r\n" x 100) },
	'drip' => sub {
		head('200 OK', 'Content-Length: 100000') or return;
		# Faster than the limit for a slow server, which another case has.
		while (put(' ' x 40)) { select(undef, undef, undef, 1) }
	},
	'silent' => sub { sysread($socket, my $nothing, 1) },
	'stalled' => sub { head('200 OK', 'Content-Length: 1000') && put('<config>') && sysread($socket, my $nothing, 1) },
	'to-file' => sub { to('file:///etc/passwd') },
	'to-ftp' => sub { to("ftp://127.0.0.1:$other/x") },
	'to-gopher' => sub { to("gopher://127.0.0.1:$other/x") },
	'to-host' => sub { to("http://127.0.0.1:$other/kept") },
	'to-itself' => sub { to($_[0]) },
	'garbage' => sub { put("\x00\xff\x16\x03garbage\r\n\r\n" x 100) },
	'old' => sub { put("<config></config>\n") },
	'not-a-number' => sub { put("HTTP/1.1 abc OK\r\n\r\n<config></config>") },
	'empty' => sub { body('200 OK', '') },
	'no-content' => sub { head('204 No Content') },
	'partial' => sub { body('206 Partial Content', '<config></config>', 'Content-Range: bytes 0-16/1000') },
	'not-modified' => sub { head('304 Not Modified') },
	'unauthorized' => sub { body('401 Unauthorized', '', 'WWW-Authenticate: Basic realm="r"') },
	'stale' => sub {
		body('401 Unauthorized', '', sprintf 'WWW-Authenticate: Digest realm="r", nonce="%s", qop="auth", stale=true', rand);
	},
	'closed' => sub { },
	'kept' => sub { body('200 OK', '<config></config>') },
);

my $listen = IO::Socket::INET->new(Listen => 64, LocalAddr => '127.0.0.1') or die "listen: $!\n";
print $listen->sockport, "\n";
while (1) {
	$socket = $listen->accept or next;
	if (fork) {
		close $socket;
		next;
	}
	alarm 120;
	my $request = '';
	# What is no HTTP, as TLS, has no end to wait for.
	while ($request !~ /\r\n\r\n/ && $request !~ /^[^A-Z]/) {
		last unless sysread($socket, $request, 65536, length $request);
	}
	open my $log, '>>', "$folder/asked" or die "asked: $!\n";
	syswrite($log, "$request\n");
	my ($path, $what, $name) = $request =~ m,^GET (/([a-z-]+)/?([^ /]*)\S*) ,;
	if (!defined $what) {
		put("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
	} elsif ($what eq 'file') {
		open my $file, '<:raw', "$folder/$name" or die "$name: $!\n";
		local $/;
		put(<$file>);
	} else {
		($ill{$what} || sub { body('404 Not Found', '') })->($path);
	}
	# An unread byte would turn the close into a reset.
	shutdown($socket, 1);
	exit;
}
