#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Keys of every engine that this CPU has, before libcrypto and GnuTLS. It takes two processors some two minutes: to check a
# key costs ten times as much as to make it.
. "$(dirname "$0")/lib.sh"

check=$BUILD/tests/keygen_check
[ -x "$check" ] || bail_out "no $check: make unit"
ok "1000 RSA-2048 keys of each engine are good to libcrypto and to GnuTLS, and share no factor" "$check" 2048 1000
ok "... and some RSA-3072 keys" "$check" 3072 20
done_testing
