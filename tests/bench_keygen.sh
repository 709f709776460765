#!/bin/bash
# SPDX-License-Identifier: ISC
#
# bench_keygen.sh BUILD [ROUNDS]: CPU time of RSA keys of 2048 and 3072 bits, each engine beside EVP_RSA_gen(), GnuTLS and
# strongSwan's pki in the same run, and once more with libcrypto held from AVX-512, as an older CPU has it. Tables; the
# same as JSON in BUILD/bench_keygen*.json. Compare ratios: at least 28 for ifma8, 14 for dual and 8 for portable at 2048
# bits.
set -u
build=${1:-build/gcc}
rounds=${2:-9}

for bits in 2048 3072; do
	"$build/tests/bench_keygen" "$bits" "$rounds" "$build/bench_keygen_$bits.json" || exit 1
	echo
done
# OPENSSL_ia32cap(3): AVX512F, DQ, IFMA, CD, BW and VL are these bits of CPUID's leaf 7.
[ "$(uname -m)" = x86_64 ] || exit 0
export OPENSSL_ia32cap=:~0xd0230000
echo "without AVX-512:"
"$build/tests/bench_keygen" 2048 "$rounds" "$build/bench_keygen_2048_plain.json" library portable
