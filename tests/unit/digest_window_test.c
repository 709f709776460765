/* SPDX-License-Identifier: ISC */
#include "tests/unit/digest_support.h"

#include "provisioner/digest_window.h"

#include <stdint.h>

/* A login overheard would serve its listener, too; one sent out of order, or after 64 others, would be refused. */
static void
test_counts(void **state)
{
	static const uint32_t order[] = { 3, 1, 2, 5, 4, 64, 65, 66, 7, 1000, 937, 0xffffffff };
	struct err e = ERR_INIT;
	struct digest_window *w = digest_window_new(&e);

	(void)state;
	assert_non_null(w);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		assert_true(digest_window_use(w, 7, order[i]));
		assert_false(digest_window_use(w, 7, order[i]));
	}
	assert_false(digest_window_use(w, 7, 936)); /* 64 below the highest: who knows */
	/* Another nonce in the same slot: the first is forgotten, and no right login refused. */
	assert_true(digest_window_use(w, 7 + DIGEST_WINDOW_SLOTS, 1));
	assert_false(digest_window_use(w, 7 + DIGEST_WINDOW_SLOTS, 1));
	assert_true(digest_window_use(w, 7, 5));
	assert_true(digest_window_use(w, 0, 0)); /* a tag like that of an empty slot */
	assert_false(digest_window_use(w, 0, 0));
	digest_window_free(w);
}

/* A client that repeats itself would be locked out, or a login heard on the way would serve whoever heard it. */
static void
test_login_once(void **state)
{
	struct digest_request r = request(NULL);
	struct login l = { "GET", TARGET, "phones", PASSWORD, NULL, "md5sum", "", false };
	struct digest_server once = server, second = server;
	struct buf header = BUF_INIT(4096);
	struct err e = ERR_INIT;
	char nonce[65], next[65];

	(void)state;
	once.window = digest_window_new(&e);
	second.window = digest_window_new(&e);
	assert_true(once.window != NULL && second.window != NULL);
	nonce_now(&r, nonce);
	nonce_now(&r, next);
	assert_string_not_equal(nonce, next);
	l.nonce = nonce;
	authorization(&l, &header);
	r.authorization = buf_string(&header);
	assert_int_equal(login_check(&once, &r, "wrong"), DIGEST_WRONG); /* uses nothing up */
	assert_int_equal(login_check(&once, &r, PASSWORD), DIGEST_OK);
	assert_int_equal(login_check(&once, &r, PASSWORD), DIGEST_STALE);
	assert_int_equal(login_check(&once, &r, "wrong"), DIGEST_WRONG);
	assert_int_equal(login_check(&second, &r, PASSWORD), DIGEST_OK); /* another server on the same state */
	l.old = true; /* without nc, which an old client cannot help */
	authorization(&l, &header);
	r.authorization = buf_string(&header);
	assert_int_equal(login_check(&once, &r, PASSWORD), DIGEST_OK);
	assert_int_equal(login_check(&once, &r, PASSWORD), DIGEST_OK);
	l.old = false;
	l.nonce = next;
	authorization(&l, &header);
	r.authorization = buf_string(&header);
	assert_int_equal(login_check(&once, &r, PASSWORD), DIGEST_OK);
	digest_window_free(once.window);
	digest_window_free(second.window);
	buf_release(&header);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_login_once),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
