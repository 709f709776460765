#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Every engine that this CPU has, beside libcrypto's own test of primes, and its keys before libcrypto and GnuTLS. It takes
# about two minutes of both processors: a check of a key takes ten times as long as the key.
. "$(dirname "$0")/lib.sh"

tests=$BUILD/tests
[ -x "$tests/prime_check" ] && [ -x "$tests/keygen_check" ] || bail_out "no $tests/prime_check: make unit"

ok "engines and BN_check_prime agree on 100,000 numbers of 1024 bits" "$tests/prime_check" 1024 100000
ok "... and on some of 1536 bits" "$tests/prime_check" 1536 2000
ok "1000 RSA-2048 keys of each engine are good to libcrypto and to GnuTLS, and share no factor" "$tests/keygen_check" 2048 1000
ok "... and some RSA-3072 keys" "$tests/keygen_check" 3072 20
done_testing
