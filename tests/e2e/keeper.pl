#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# keeper.pl service|steps|lent COMMAND...: has a program run for as long as the keeper does, and kills it with SIGKILL at
# each SIGUSR1. A service is started anew at once; so is what is lent a socket (systemd.socket(5)) of 127.0.0.1, which goes
# on to listen meanwhile, and whose address is the first line on standard output. Steps end by themselves and are run again
# and again; a SIGUSR1 in between is for the next one, some time after its start. A line "killed" tells of each, and
# "ended STATUS" of one that ended by itself as it should not.
use strict;
use warnings;
use IO::Socket::INET;
use POSIX qw(dup2);
use Time::HiRes qw(sleep ualarm);

my ($kind, @command) = @ARGV;
my $keeper = $$;
my ($child, $wanted, $stop, $socket) = (0, 0, 0);
$| = 1;
$SIG{USR1} = sub { $wanted = 1; kill 'KILL', $child if $child };
$SIG{ALRM} = sub { kill 'KILL', $child if $child && $wanted };
$SIG{TERM} = sub { $stop = 1; kill 'TERM', $child if $child };

if ($kind eq 'lent') {
	$^F = 3;
	$socket = IO::Socket::INET->new(Listen => 128, LocalAddr => '127.0.0.1') or die "socket: $!";
	print 'http://127.0.0.1:', $socket->sockport, "\n";
	dup2(fileno $socket, 3) or die "dup2: $!";
}
until ($stop) {
	my $started = fork // die "fork: $!";
	if ($started == 0) {
		@ENV{qw(LISTEN_PID LISTEN_FDS)} = ($$, 1) if $kind eq 'lent';
		$SIG{$_} = 'DEFAULT' for qw(USR1 ALRM TERM);
		exec @command or die "$command[0]: $!";
	}
	$child = $started;
	kill 'TERM', $child if $stop;
	if ($wanted) {
		$kind eq 'steps' ? ualarm(1 + int rand 60000) : kill 'KILL', $child;
	}
	1 while waitpid($child, 0) != $child;
	my $status = $?;
	$child = 0;
	if (($status & 127) == 9 && $wanted) {
		$wanted = 0;
		print "killed\n";
	} elsif (!$stop && ($kind ne 'steps' || ($status != 0 && $status >> 8 != 4))) {
		print 'ended ', $status & 127 || $status >> 8, "\n";
	}
	# Another writer is no trouble; it has the state for a moment.
	sleep 0.05 + rand 0.1 if $kind eq 'steps' && !$stop;
}
