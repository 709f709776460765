/* SPDX-License-Identifier: ISC */
#include "ca/prime_engine.h"

#include <openssl/crypto.h>
#include <string.h>

/*
 * Eight candidates in the eight 64-bit lanes of AVX-512, each number in digits of 52 bits, which is what IFMA multiplies
 * (Gueron and Krasnov, "Software implementation of modular exponentiation, using advanced vector instructions
 * architectures", 2012). Nothing branches or loads by a candidate's value.
 *
 * A number is the sum of digit[i] * 2^(52 i). Columns that are being summed up hold more than 52 bits: at most four times
 * DIGITS_MAX products' halves and a doubling, less than 2^61. Montgomery's R is 2^(52 digits), 16, 24 or 32 bits longer
 * than the modulus n, and the numbers stay below R without ever being compared with n: a square x^2 comes out of the
 * reduction below x^2 / R + n.
 */
#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

/* AddressSanitizer's own stack of GCC 12 does not align to the 64 bytes of a register (GCC bug 110027). */
#define TARGET __attribute__((target("avx512f,avx512ifma"), no_sanitize("address")))
#define INLINE TARGET static inline __attribute__((always_inline))

#define PRAGMA(x) _Pragma(#x)
#define UNROLL(times) PRAGMA(GCC unroll times)

#define LANES 8
#define RADIX 52
#define BITS_MAX 2048
#define DIGITS_MAX 40

/* Digits by digits, so many at a time: their sums fit into the registers. It divides 20, 30 and 40 digits. */
#define BLOCK 5

struct work {
	__m512i n[DIGITS_MAX];
	__m512i x[DIGITS_MAX];
	__m512i sum[2 * DIGITS_MAX];
	__m512i n0; /* -1/n mod 2^52 */
	size_t digits;
	unsigned char bytes[BITS_MAX / 8 + 8];
	uint64_t lane[DIGITS_MAX][LANES];
};

static bool
ifma8_supported(unsigned int bits)
{
	/* These ask the operating system's XCR0, too. */
	return bits <= BITS_MAX && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512ifma");
}

INLINE void
multiply(__m512i *lo, __m512i *hi, __m512i a, __m512i b)
{
	*lo = _mm512_madd52lo_epu64(*lo, a, b);
	*hi = _mm512_madd52hi_epu64(*hi, a, b);
}

INLINE void
row_multiply(__m512i *lo, __m512i *hi, __m512i a, const __m512i *y)
{
	UNROLL(5)
	for (int k = 0; k < BLOCK; k++)
		multiply(&lo[k], &hi[k], a, y[k]);
}

/* lo[0..8] and hi[0..8] += the lower and upper 52 bits of the products that make x[0..4] * y[0..4] */
INLINE void
block_multiply(__m512i *lo, __m512i *hi, const __m512i *x, const __m512i *y)
{
	UNROLL(5)
	for (int k = 0; k < BLOCK; k++)
		row_multiply(&lo[k], &hi[k], x[k], y);
}

/* The same for the products of two different digits of one block. */
INLINE void
block_pairs(__m512i *lo, __m512i *hi, const __m512i *x)
{
	multiply(&lo[1], &hi[1], x[0], x[1]);
	multiply(&lo[2], &hi[2], x[0], x[2]);
	multiply(&lo[3], &hi[3], x[0], x[3]);
	multiply(&lo[4], &hi[4], x[0], x[4]);
	multiply(&lo[3], &hi[3], x[1], x[2]);
	multiply(&lo[4], &hi[4], x[1], x[3]);
	multiply(&lo[5], &hi[5], x[1], x[4]);
	multiply(&lo[5], &hi[5], x[2], x[3]);
	multiply(&lo[6], &hi[6], x[2], x[4]);
	multiply(&lo[7], &hi[7], x[3], x[4]);
}

/*
 * sum = x^2, a block of columns at a time: twice the products of different digits, then the squares. Lower and upper halves
 * are added up apart, lest the sums of one block wait for those of the block before.
 */
TARGET static void
square(struct work *w)
{
	const __m512i zero = _mm512_setzero_si512();
	const size_t blocks = w->digits / BLOCK;
	__m512i lo[2 * BLOCK - 1], hi[2 * BLOCK - 1], above = zero;

	UNROLL(9)
	for (int k = 0; k < 2 * BLOCK - 1; k++)
		lo[k] = hi[k] = zero;
	for (size_t s = 0; s < 2 * blocks; s++) {
		__m512i *const sum = w->sum + BLOCK * s;

		for (size_t i = s < blocks ? 0 : s - blocks + 1; i < s - i; i++)
			block_multiply(lo, hi, w->x + BLOCK * i, w->x + BLOCK * (s - i));
		if (s % 2 == 0)
			block_pairs(lo, hi, w->x + BLOCK * s / 2);
		UNROLL(5)
		for (int k = 0; k < BLOCK; k++) {
			const __m512i column = _mm512_add_epi64(lo[k], k == 0 ? above : hi[k - 1]);

			sum[k] = _mm512_add_epi64(column, column);
		}
		above = hi[BLOCK - 1];
		UNROLL(4)
		for (int k = 0; k < BLOCK - 1; k++) {
			lo[k] = lo[k + BLOCK];
			hi[k] = hi[k + BLOCK];
		}
		UNROLL(5)
		for (int k = BLOCK - 1; k < 2 * BLOCK - 1; k++)
			lo[k] = hi[k] = zero;
	}
	for (size_t k = 0; k < w->digits; k++) {
		w->sum[2 * k] = _mm512_madd52lo_epu64(w->sum[2 * k], w->x[k], w->x[k]);
		w->sum[2 * k + 1] = _mm512_madd52hi_epu64(w->sum[2 * k + 1], w->x[k], w->x[k]);
	}
}

/* One digit of the quotient, which makes column 0 zero modulo 2^52; what is above goes to the next column. */
INLINE __m512i
quotient(__m512i *c, const struct work *w)
{
	const __m512i q = _mm512_madd52lo_epu64(_mm512_setzero_si512(), c[0], w->n0);

	row_multiply(c, c + 1, q, w->n);
	c[1] = _mm512_add_epi64(c[1], _mm512_srli_epi64(c[0], RADIX));
	return q;
}

/* sum += q n, with q such that the lower half becomes zero (Montgomery, 1985): a block of q at a time, along all of n. */
TARGET static void
reduce(struct work *w)
{
	const size_t blocks = w->digits / BLOCK;

	for (size_t i = 0; i < blocks; i++) {
		__m512i *sum = w->sum + BLOCK * i;
		__m512i c[2 * BLOCK], q[BLOCK];

		UNROLL(10)
		for (int k = 0; k < 2 * BLOCK; k++)
			c[k] = sum[k];
		UNROLL(5)
		for (int k = 0; k < BLOCK; k++)
			q[k] = quotient(&c[k], w);
		for (size_t j = 1; j < blocks; j++) {
			UNROLL(5)
			for (int k = 0; k < BLOCK; k++) {
				c[k] = c[k + BLOCK];
				c[k + BLOCK] = sum[BLOCK * (j + 1) + (size_t)k];
			}
			block_multiply(c, c + 1, q, w->n + BLOCK * j);
			UNROLL(5)
			for (int k = 0; k < BLOCK; k++)
				sum[BLOCK * j + (size_t)k] = c[k];
		}
		UNROLL(5)
		for (int k = 0; k < BLOCK; k++)
			sum[BLOCK * blocks + (size_t)k] = c[k + BLOCK];
	}
}

/* x = the upper half of the sum, times two in the lanes whose twice is 1 and not 0, in digits of 52 bits again. */
TARGET static void
carry(struct work *w, __m512i twice)
{
	const __m512i mask = _mm512_set1_epi64((1LL << RADIX) - 1);
	__m512i c = _mm512_setzero_si512();

	for (size_t k = 0; k < w->digits; k++) {
		c = _mm512_add_epi64(c, _mm512_sllv_epi64(w->sum[w->digits + k], twice));
		w->x[k] = _mm512_and_si512(c, mask);
		c = _mm512_srli_epi64(c, RADIX);
	}
}

/* Lanes behind the last candidate repeat the first. */
TARGET static int
load(struct work *w, const BIGNUM *const *n, size_t count)
{
	const uint64_t mask = (1ULL << RADIX) - 1;

	for (size_t lane = 0; lane < LANES; lane++) {
		if (BN_bn2lebinpad(n[lane < count ? lane : 0], w->bytes, sizeof(w->bytes)) < 0)
			return -1;
		for (size_t k = 0; k < w->digits; k++) {
			const size_t bit = RADIX * k;
			uint64_t digit;

			memcpy(&digit, w->bytes + bit / 8, sizeof(digit));
			w->lane[k][lane] = digit >> bit % 8 & mask;
		}
	}
	for (size_t k = 0; k < w->digits; k++)
		w->n[k] = _mm512_loadu_si512(w->lane[k]);
	return 0;
}

/* n0 by Newton's iteration, which doubles the number of right bits: n * n = 1 mod 8 to begin with. */
TARGET static void
inverse(struct work *w)
{
	const __m512i zero = _mm512_setzero_si512(), two = _mm512_set1_epi64(2);
	__m512i y = w->n[0];

	for (int right = 3; right < RADIX; right *= 2)
		y = _mm512_madd52lo_epu64(zero, y, _mm512_sub_epi64(two, _mm512_madd52lo_epu64(zero, y, w->n[0])));
	w->n0 = _mm512_sub_epi64(zero, y); /* a multiplication looks at 52 bits only */
}

/*
 * x = R mod n, or that and multiples of n, Montgomery's form of 1: 2^bits - n, which the two topmost bits of n make less
 * than 2^(bits - 2), shifted up by what R is longer. So x begins below R / 4, and the squares shrink from there to 2 n.
 */
TARGET static void
one(struct work *w, unsigned int bits)
{
	const __m512i shift = _mm512_set1_epi64((long long)(RADIX * w->digits - bits));
	const __m512i mask = _mm512_set1_epi64((1LL << RADIX) - 1);
	__m512i borrow = _mm512_setzero_si512(), c = _mm512_setzero_si512();

	for (size_t k = 0; k < w->digits; k++) {
		const bool top = k == w->digits - 1;
		const __m512i d =
		    _mm512_sub_epi64(_mm512_sub_epi64(_mm512_set1_epi64(top ? 1LL << (bits - RADIX * k) : 0), w->n[k]),
			borrow);

		borrow = _mm512_srli_epi64(d, 63);
		c = _mm512_or_si512(c, _mm512_sllv_epi64(_mm512_and_si512(d, mask), shift));
		w->x[k] = _mm512_and_si512(c, mask);
		c = _mm512_srlv_epi64(_mm512_and_si512(d, mask), _mm512_sub_epi64(_mm512_set1_epi64(RADIX), shift));
	}
}

/* The lanes where 2^(n-1) = 1. */
TARGET static unsigned int
fermat(struct work *w, unsigned int bits)
{
	const __m512i zero = _mm512_setzero_si512(), bit = _mm512_set1_epi64(1);
	__mmask8 ret = 0xff;

	inverse(w);
	one(w, bits);
	/* The exponent is n but for its last bit. */
	for (unsigned int i = bits - 1; i > 0; i--) {
		const __m512i shift = _mm512_set1_epi64(i % RADIX);

		square(w);
		reduce(w);
		carry(w, _mm512_and_si512(_mm512_srlv_epi64(w->n[i / RADIX], shift), bit));
	}
	square(w);
	reduce(w);
	carry(w, zero);
	/* Out of Montgomery's form: at most n, so that only 1 itself is 1 modulo n. */
	memcpy(w->sum, w->x, w->digits * sizeof(w->x[0]));
	memset(w->sum + w->digits, 0, w->digits * sizeof(w->x[0]));
	reduce(w);
	carry(w, zero);
	for (size_t k = 0; k < w->digits; k++)
		ret &= _mm512_cmpeq_epi64_mask(w->x[k], k == 0 ? bit : zero);
	return ret;
}

/*
 * They hold digits of the candidates, and no other code will soon write over the upper sixteen. No list of clobbers, as
 * every function may change them all.
 */
TARGET __attribute__((noinline)) static void
registers_clear(void)
{
	__asm__ volatile(".irp i, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n\t"
			 "vpxorq %zmm\\i, %zmm\\i, %zmm\\i\n\t"
			 ".endr\n\t"
			 "vzeroall");
}

TARGET static int
ifma8_test(const BIGNUM *const *n, size_t count, unsigned int bits, BN_CTX *ctx, unsigned int *ret)
{
	struct work w;
	int rc;

	(void)ctx;
	w.digits = (bits + RADIX - 1) / RADIX;
	rc = load(&w, n, count);
	if (rc == 0)
		*ret = fermat(&w, bits) & ((1U << count) - 1);
	OPENSSL_cleanse(&w, sizeof(w));
	registers_clear();
	return rc;
}

#else

static bool
ifma8_supported(unsigned int bits)
{
	(void)bits;
	return false;
}

static int
ifma8_test(const BIGNUM *const *n, size_t count, unsigned int bits, BN_CTX *ctx, unsigned int *ret)
{
	(void)n, (void)count, (void)bits, (void)ctx, (void)ret;
	return -1;
}

#endif

const struct ca_engine ca_engine_ifma8 = {
	.name = "ifma8",
	.lanes = CA_ENGINE_LANES_MAX,
	.sieve = 17,
	.supported = ifma8_supported,
	.test = ifma8_test,
};
