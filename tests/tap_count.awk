# SPDX-License-Identifier: ISC
#
# From the output of prove(1) to "PASSED FAILED". A program that is broken without a "not ok" (it died, its status is
# not 0, it has no plan) is one that failed, and so is every planned test that did not run. Nothing is printed when
# prove itself did not come to its end.

# t/a.sh (Wstat: 256 (exited 1) Tests: 2 Failed: 1)
/\(Wstat: .* Tests: [0-9]+ Failed: [0-9]+\)$/ {
	program_ends()
	broken = ($NF + 0 == 0)
	not_ok += $NF
}

#   Parse errors: Bad plan.  You planned 5 tests but ran 3.
/Bad plan\.  You planned [0-9]+ tests but ran [0-9]+\.$/ {
	planned = ran = $0
	sub(/.*You planned /, "", planned)
	sub(/.* but ran /, "", ran)
	if (planned + 0 > ran + 0) {
		failed += planned - ran
		broken = 0
	}
}

# Files=1, Tests=3,  0 wallclock secs ...
/^Files=[0-9]+, Tests=[0-9]+,/ {
	program_ends()
	split($0, field, /[=,]/)
	run = field[4]
	complete = 1
}

function program_ends() {
	failed += broken
	broken = 0
}

END {
	if (complete)
		print run - not_ok, failed + not_ok
}
