#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# world.pl FOLDER FLEET SEED: phones, and an OpenVPN server for them, that know what has happened. FLEET is what "phonevpn
# emit fleet" prints. Each phone asks for its XML again and again, fetches the bundle that it names when that is another
# one, and is then on the VPN with the certificate of the bundle that it has; now and then one hangs up in the middle,
# discards what it has fetched, is switched off before it has it, or comes back anew, and the server restarts. The server
# is its management interface alone, FOLDER/socket: what OpenVPN 2.6.14 sends there, byte for byte but for the values.
#
# FOLDER/truth has a line of six words for each thing, with the time in front, before anybody else can know of it:
#
#	xml MAC MD5			the XML, which names that md5, is there whole
#	bundle MAC MD5			so is the bundle, and that is its md5
#	installed MAC MD5 SERIAL	it is what the phone uses from now on
#	begin MAC SERIAL SINCE		a session; SINCE as the server tells it
#	end MAC SINCE
#	wrong MAC WHAT MD5		what must not be
#
# FOLDER/MAC.ovpn is what the phone has, once it has any.
use strict;
use warnings;
use Digest::MD5 qw(md5_hex);
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX qw(strftime);
use Time::HiRes qw(sleep time);

my ($folder, $fleet, $seed) = @ARGV;
my $world = $$;
$SIG{PIPE} = 'IGNORE';
open my $truth, '>>', "$folder/truth" or die "$folder/truth: $!";

sub happened {
	my ($what, $mac, @rest) = @_;
	syswrite($truth, sprintf("%.6f %s %s %s %s %s\n", time, $what, $mac, map { $_ // "-" } @rest[0 .. 2])) or die "truth: $!";
}

# ---- a phone ----

# take(SOCKET, BUFFER, PIECE, ENOUGH): append what comes, in pieces, until ENOUGH says so; false when it ends before.
sub take {
	my ($socket, $buffer, $piece, $enough) = @_;
	my $end = time + 5;
	until ($enough->()) {
		my $left = $end - time;
		return 0 if $left <= 0 || !IO::Select->new($socket)->can_read($left);
		sysread($socket, $$buffer, $piece, length $$buffer) or return 0;
	}
	return 1;
}

# answer_read(SOCKET, MOST): status, headers and body; nothing when it ends early, or after MOST bytes of the body.
sub answer_read {
	my ($socket, $most) = @_;
	my ($buffer, $length, $head) = ('');
	# Who has read nothing of the rest can have none of it: the kernel tells the server.
	my $piece = defined $most ? 1 : 65536;
	take($socket, \$buffer, $piece, sub { $buffer =~ /\r\n\r\n/ }) or return;
	($head, $buffer) = split /\r\n\r\n/, $buffer, 2;
	($length) = $head =~ /^Content-Length: (\d+)/mi or return;
	if (defined $most && $most < $length) {
		take($socket, \$buffer, $piece, sub { length $buffer >= $most });
		return;
	}
	take($socket, \$buffer, $piece, sub { length $buffer >= $length }) or return;
	return ($head =~ /^HTTP\/1.1 (\d+)/, $head, $buffer);
}

my %nonce; # of this phone: realm, nonce, how often it was used

sub login {
	my ($user, $password, $path) = @_;
	return '' unless %nonce;
	my ($nc, $cnonce) = (sprintf('%08x', ++$nonce{count}), sprintf('%08x', rand 2**32));
	my $response = md5_hex(join ':', md5_hex("$user:$nonce{realm}:$password"), $nonce{nonce}, $nc, $cnonce, 'auth',
		md5_hex("GET:$path"));
	return qq(Authorization: Digest username="$user", realm="$nonce{realm}", nonce="$nonce{nonce}", uri="$path", )
		. qq(algorithm=MD5, response="$response", qop=auth, nc=$nc, cnonce="$cnonce"\r\n);
}

# get(URL, MOST, ARRIVED): its body, with RFC 7616's login. ARRIVED is called with it while the connection still is.
sub get {
	my ($url, $most, $arrived) = @_;
	my ($user, $password, $host, $path) = $url =~ m{^http://([^:]*):([^@]*)@([^/]*)(/.*)$} or die "URL $url";
	s/%([0-9A-Fa-f]{2})/chr hex $1/ge for $user, $password;
	my $socket = IO::Socket::INET->new(PeerAddr => $host, Timeout => 5) or return;
	for my $try (1 .. 2) {
		syswrite($socket, "GET $path HTTP/1.1\r\nHost: $host\r\n" . login($user, $password, $path) . "\r\n") or return;
		my ($status, $head, $body) = answer_read($socket, $most) or return;
		if ($status == 401) {
			my ($challenge) = $head =~ /^WWW-Authenticate: Digest (.*?)\r?$/mi or return;
			%nonce = (count => 0);
			$challenge =~ /\b$_="([^"]*)"/ and $nonce{$_} = $1 for qw(realm nonce);
			next;
		}
		$arrived->($body) if $status == 200;
		return ($status, $body);
	}
	return (401, '');
}

# certificate_of(FILE): its serial and SHA-256 by openssl, in lower case without colons.
sub certificate_of {
	my ($file) = @_;
	my $told = `openssl x509 -in '$file' -noout -serial -fingerprint -sha256`;
	my ($serial) = $told =~ /serial=([0-9A-F]+)/;
	my ($digest) = $told =~ /Fingerprint=([0-9A-F:]+)/ or die "openssl x509 of $file: $told";
	$digest =~ tr/://d;
	# As the server tells it: without zeros in front.
	return (lc($serial) =~ s/^(00)+//r, lc $digest);
}

my %has; # of this phone: md5, serial, digest
my $vpn; # to the server: "begin MAC SERIAL DIGEST", "end MAC"

sub vpn {
	syswrite($vpn, "@_\n") or exit;
}

# The power of this phone is cut and comes back.
sub restart {
	my ($mac) = @_;
	vpn('end', $mac);
	sleep 0.05 + rand 0.5;
	vpn('begin', $mac, $has{serial}, $has{digest}) if %has;
}

sub install {
	my ($mac, $md5, $bundle) = @_;
	my $file = "$folder/$mac.ovpn";
	open my $out, '>', "$file.new" or die "$file.new: $!";
	print {$out} $bundle =~ /<cert>\n(.*?)<\/cert>/s;
	close $out;
	my ($serial, $digest) = certificate_of("$file.new");
	open $out, '>', "$file.new" or die "$file.new: $!";
	print {$out} $bundle;
	close $out;
	rename "$file.new", $file or die "$file: $!";
	%has = (md5 => $md5, serial => $serial, digest => $digest);
	happened('installed', $mac, $md5, $serial);
}

sub fetch {
	my ($mac, $url, $md5) = @_;
	my $most = rand() < 0.1 ? int rand 8000 : undef;
	my ($status, $bundle) = get($url, $most, sub {
		my $found = md5_hex($_[0]);
		$found eq $md5 ? happened('bundle', $mac, $md5) : happened('wrong', $mac, 'another-bundle', $md5);
	});
	return unless defined $status;
	happened('wrong', $mac, "bundle-status-$status", $md5) if $status != 200;
	return if $status != 200 || md5_hex($bundle) ne $md5 || rand() < 0.1;
	return restart($mac) if rand() < 0.1;
	sleep rand 0.3;
	install($mac, $md5, $bundle);
	restart($mac);
}

sub look {
	my ($mac, $base) = @_;
	my ($url, $md5);
	my ($status, $xml) = get("$base$mac.cfg", rand() < 0.03 ? 100 : undef, sub {
		($url) = $_[0] =~ /id="openvpn_inline_config"[^>]*\burl="([^"]*)"/;
		($md5) = $_[0] =~ /id="openvpn_inline_config"[^>]*\bmd5="([^"]*)"/;
		defined $md5 ? happened('xml', $mac, $md5) : happened('wrong', $mac, 'XML-without-md5');
	});
	return unless defined $status;
	happened('wrong', $mac, "XML-status-$status") if $status != 200;
	return unless defined $md5;
	return fetch($mac, $url, $md5) if !%has || $has{md5} ne $md5;
	restart($mac) if rand() < 0.15;
}

sub phone {
	my ($mac, $base, $number) = @_;
	srand $seed + $number;
	sleep rand 1;
	while (getppid == $world) {
		look($mac, $base);
		sleep 0.3 + rand 0.9;
	}
	exit;
}

# ---- the OpenVPN server ----

my %session;  # by MAC: id, serial, digest, since
my %back;     # by MAC, after a restart of the server: when it comes back, and with what
my $next_id = 0;
my ($listen, $admin);

sub announce {
	syswrite($admin, join '', map { "$_\r\n" } @_) if $admin;
}

sub colons {
	return join ':', $_[0] =~ /../g;
}

sub established {
	my ($mac) = @_;
	my $s = $session{$mac};
	my $port = 20000 + hex substr $mac, 8;
	announce(">CLIENT:ESTABLISHED,$s->{id}", map { ">CLIENT:ENV,$_" } 'n_clients=' . keys %session, "time_unix=$s->{since}",
		'time_ascii=' . strftime('%Y-%m-%d %H:%M:%S', localtime $s->{since}),
		'ifconfig_pool_netmask=255.255.0.0', 'ifconfig_pool_remote_ip=10.8.0.2', "trusted_port=$port",
		'trusted_ip=198.18.1.2', "common_name=$mac", 'IV_PROTO=990', 'IV_CIPHERS=AES-256-GCM', 'IV_PLAT=linux',
		'IV_VER=2.6.14', "untrusted_port=$port", 'untrusted_ip=198.18.1.2',
		'tls_serial_hex_0=' . colons($s->{serial}), 'tls_digest_sha256_0=' . colons($s->{digest}),
		'tls_digest_0=e9:4a:b9:01:f8:62:85:90:b5:b3:0d:c9:44:dd:c2:1e:f0:a3:ea:e8', "tls_id_0=O=phonevpn, CN=$mac",
		"X509_0_CN=$mac", 'X509_0_O=phonevpn',
		'tls_serial_hex_1=4d:5f:48:e6:d8:85:d8:fe:a5:bc:3d:2a:8b:20:78:82:83:bf:b3:32',
		'tls_digest_sha256_1=' . colons('11' x 32), 'X509_1_CN=phonevpn CA', 'script_context=init', 'tun_mtu=1500',
		'dev=tun0', 'END');
}

sub session_end {
	my ($mac, $silent) = @_;
	my $s = delete $session{$mac} or return;
	happened('end', $mac, $s->{since});
	announce(">CLIENT:DISCONNECT,$s->{id}", map { ">CLIENT:ENV,$_" } 'bytes_sent=3323', 'bytes_received=3186',
		'time_duration=' . (int(time) - $s->{since}), 'n_clients=' . keys %session, "time_unix=$s->{since}",
		'trusted_port=' . (20000 + hex substr $mac, 8), 'trusted_ip=198.18.1.2', "common_name=$mac",
		'tls_serial_hex_0=' . colons($s->{serial}), 'tls_digest_sha256_0=' . colons($s->{digest}), 'END')
		unless $silent;
}

# The new one takes the former one's place.
sub session_begin {
	my ($mac, $serial, $digest) = @_;
	session_end($mac, 0);
	my $s = $session{$mac} = { id => $next_id++, serial => $serial, digest => $digest, since => int time };
	happened('begin', $mac, $serial, $s->{since});
	established($mac);
}

sub status {
	announce("TITLE\tOpenVPN 2.6.14 x86_64-pc-linux-gnu [SSL (OpenSSL)] [LZO] [LZ4] [EPOLL] [PKCS11] [MH/PKTINFO] [AEAD] [DCO]",
		"TIME\t" . strftime('%Y-%m-%d %H:%M:%S', localtime) . "\t" . int(time),
		"HEADER\tCLIENT_LIST\tCommon Name\tReal Address\tVirtual Address\tVirtual IPv6 Address\tBytes Received\tBytes Sent\t"
		. "Connected Since\tConnected Since (time_t)\tUsername\tClient ID\tPeer ID\tData Channel Cipher",
		map({ my $s = $session{$_};
			join "\t", 'CLIENT_LIST', $_, '198.18.1.2:' . (20000 + hex substr $_, 8), '10.8.0.2', '', 3186, 3323,
				strftime('%Y-%m-%d %H:%M:%S', localtime $s->{since}), $s->{since}, 'UNDEF', $s->{id}, 0, 'AES-256-GCM'
		} sort keys %session),
		"HEADER\tROUTING_TABLE\tVirtual Address\tCommon Name\tReal Address\tLast Ref\tLast Ref (time_t)",
		"GLOBAL_STATS\tMax bcast/mcast queue length\t1", "GLOBAL_STATS\tdco_enabled\t0", 'END');
}

sub server_start {
	unlink "$folder/socket";
	$listen = IO::Socket::UNIX->new(Listen => 1, Local => "$folder/socket") or die "$folder/socket: $!";
}

# It forgets its clients without a word, and they come back. By SIGUSR1 it keeps its listener.
sub server_restart {
	for my $mac (keys %session) {
		$back{$mac} = [time + 0.2 + rand 1.5, @{$session{$mac}}{qw(serial digest)}];
		session_end($mac, 1);
	}
	$next_id = 0;
	return if rand() < 0.5;
	close $admin if $admin;
	undef $admin;
	close $listen;
	server_start();
}

# Lines of phones, or of the listener; what is left of an unfinished one stays.
my %rest = (phones => '', admin => '');
sub lines {
	my ($from, $socket) = @_;
	sysread($socket, $rest{$from}, 65536, length $rest{$from}) or return;
	my @lines = split /\r?\n/, $rest{$from}, -1;
	$rest{$from} = pop @lines;
	return (1, @lines);
}

# ---- both ----

open my $list, '<', $fleet or die "$fleet: $!";
my @phones = map { chomp; [split /,/] } grep { !/^mac,/ } <$list>;
pipe my $said, $vpn or die "pipe: $!";
my @children;
$SIG{TERM} = sub { kill 'TERM', @children; waitpid $_, 0 for @children; exit };
for my $i (0 .. $#phones) {
	my ($mac, undef, undef, $base) = @{$phones[$i]};
	my $child = fork // die "fork: $!";
	if ($child == 0) {
		$SIG{TERM} = 'DEFAULT';
		close $said;
		phone($mac, $base =~ s/"|\s//gr, $i);
	}
	push @children, $child;
}
close $vpn;
srand $seed;
server_start();
$| = 1;
print "world is up\n";
my $restart = time + 10;
while (1) {
	my @there = IO::Select->new($said, $admin // $listen)->can_read(0.1);
	for my $socket (@there) {
		if ($socket == $said) {
			my ($any, @lines) = lines('phones', $said);
			exit 1 unless $any;
			for (@lines) {
				my ($what, $mac, @certificate) = split;
				delete $back{$mac};
				$what eq 'begin' ? session_begin($mac, @certificate) : session_end($mac, 0);
			}
		} elsif (!$admin) {
			$rest{admin} = '';
			$admin = $listen->accept or next;
			announce(">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info");
		} else {
			my ($any, @lines) = lines('admin', $admin);
			$_ eq 'status 3' ? status() : announce('ERROR: unknown command, enter \'help\' for more options') for @lines;
			undef $admin unless $any;
		}
	}
	for my $mac (grep { $back{$_}[0] <= time } keys %back) {
		my (undef, @certificate) = @{delete $back{$mac}};
		session_begin($mac, @certificate);
	}
	if (time >= $restart) {
		server_restart();
		$restart = time + 10 + rand 15;
	}
}
