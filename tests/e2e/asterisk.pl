#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# What Asterisk reads, as its main/config.c does it; each with the same result as Asterisk 22.10.1 has.
#
#	asterisk.pl file FILE	a configuration file: lines of "type name option=value"
#	asterisk.pl row		values of a realtime row, one a line, as res_config_odbc and res_config_pgsql take them
use strict;
use warnings;

sub strip {
	my ($s) = @_;
	$s =~ s/^[\x01-\x20]+//;
	$s =~ s/[\x01-\x20]+$//;
	return $s;
}

# One line without its comments; $$deep counts the ";--" that are open.
sub uncomment {
	my ($line, $deep) = @_;
	my $kept = '';
	for (my $i = 0; $i < length $line; $i++) {
		my $rest = substr $line, $i;
		if ($rest =~ /^;/ && $kept =~ /\\$/ && !$$deep) {
			$kept =~ s/\\$/;/;
		} elsif ($rest =~ /^;--(?!-)/) {
			$$deep++;
			$i += 2;
		} elsif ($rest =~ /^--;/ && $$deep) {
			$$deep--;
			$i += 2;
		} elsif ($rest =~ /^;/ && !$$deep) {
			last;
		} elsif (!$$deep) {
			$kept .= substr $line, $i, 1;
		}
	}
	return strip($kept);
}

sub file {
	my ($name) = @_;
	my ($deep, $section, $type, @options, @read) = (0);
	my $finish = sub { push @read, map { "$type $section $_" } @options if defined $type };
	open my $in, '<', $name or die "$name: $!\n";
	while (my $line = <$in>) {
		$line = uncomment($line, \$deep);
		next if $line eq '';
		die "$name:$.: a directive\n" if $line =~ /^#/;
		if ($line =~ /^\[([^]]*)\](.?)/) {
			die "$name:$.: a template\n" if $2 ne '';
			$finish->();
			($section, $type, @options) = ($1);
		} elsif (defined $section && $line =~ /^([^=]*[^=+])=>?(.*)$/) {
			my ($option, $value) = (strip($1), strip($2));
			push @options, "$option=$value";
			$type = $value if $option eq 'type';
		} else {
			die "$name:$.: no option of a section\n";
		}
	}
	die "$name: a comment that does not end\n" if $deep;
	$finish->();
	print "$_\n" for @read;
}

sub row {
	while (my $value = <STDIN>) {
		chomp $value;
		my $last = '';
		for my $part (split /;/, $value) {
			$part = strip($part);
			$part =~ s/\^([0-9A-F]{2})/chr hex $1/ge;
			$last = $part if $part ne '';
		}
		print "$last\n";
	}
}

my ($form, @files) = @ARGV;
if    ($form eq 'file') { file(@files) }
elsif ($form eq 'row')  { row() }
else                    { die "asterisk.pl: file or row\n" }
