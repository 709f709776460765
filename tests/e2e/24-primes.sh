#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Every engine that this CPU has, beside libcrypto's own test of primes.
. "$(dirname "$0")/lib.sh"

check=$BUILD/tests/prime_check
[ -x "$check" ] || bail_out "no $check: make unit"
ok "engines and BN_check_prime agree on 100,000 numbers of 1024 bits" "$check" 1024 100000
ok "... and on some of 1536 bits" "$check" 1536 2000
ok "... and of 2048" "$check" 2048 500
done_testing
