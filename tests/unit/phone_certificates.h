/* SPDX-License-Identifier: ISC */
#ifndef TESTS_PHONE_CERTIFICATES_H
#define TESTS_PHONE_CERTIFICATES_H

#include "tests/unit/support.h"

/* A group's folder with what phone_certificates.sh makes; its name is the state. */

static inline int
certificates_make(void **state)
{
	struct buf out = BUF_INIT(1 << 16);

	*state = support_folder();
	support_shell(&out, NULL, "tests/unit/phone_certificates.sh '%s'", (char *)*state);
	buf_release(&out);
	return 0;
}

static inline int
certificates_remove(void **state)
{
	support_remove(*state);
	return 0;
}

#endif
