#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# transfer.pl serve FILE FOLDER: take what each client sends into FOLDER/<its address>, and send FILE back. Prints
#	"listening on PORT".
# transfer.pl exchange ADDRESS PORT FILE ANSWER SECONDS: send FILE, keep what comes back in ANSWER; fails after SECONDS.
use strict;
use warnings;
use IO::Socket::INET;

$SIG{PIPE} = 'IGNORE';

sub slurp {
	my ($path) = @_;
	open(my $in, '<:raw', $path) or die "$path: $!\n";
	local $/;
	return scalar <$in>;
}

sub copy_to_file {
	my ($socket, $path) = @_;
	open(my $out, '>:raw', $path) or die "$path: $!\n";
	while ((my $n = sysread($socket, my $piece, 65536)) // die "read: $!\n") {
		last if $n == 0;
		print {$out} $piece or die "$path: $!\n";
	}
	close($out) or die "$path: $!\n";
}

sub send_all {
	my ($socket, $data) = @_;
	for (my $done = 0; $done < length $data;) {
		my $n = syswrite($socket, $data, 65536, $done) // die "write: $!\n";
		$done += $n;
	}
	shutdown($socket, 1);
}

my $what = shift // '';
if ($what eq 'serve') {
	my ($file, $folder) = @ARGV;
	my $data = slurp($file);
	my $listener = IO::Socket::INET->new(Listen => 64, LocalAddr => '0.0.0.0') or die "listen: $!\n";
	$SIG{CHLD} = 'IGNORE';
	$| = 1;
	print 'listening on ', $listener->sockport, "\n";
	while (1) {
		my $socket = $listener->accept or next;
		next if fork;
		alarm 300;
		copy_to_file($socket, "$folder/" . $socket->peerhost);
		send_all($socket, $data);
		exit 0;
	}
} elsif ($what eq 'exchange') {
	my ($address, $port, $file, $answer, $seconds) = @ARGV;
	alarm $seconds;
	my $socket = IO::Socket::INET->new(PeerAddr => $address, PeerPort => $port) or die "connect: $!\n";
	send_all($socket, slurp($file));
	copy_to_file($socket, $answer);
} else {
	die "usage: transfer.pl serve|exchange ...\n";
}
