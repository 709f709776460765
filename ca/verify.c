/* SPDX-License-Identifier: ISC */
#include "ca/verify.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

struct faults {
	struct ca_fault *list;
	size_t count;
};

/* Take note, and go on as if nothing were wrong. */
static int
fault_note(int good, X509_STORE_CTX *ctx)
{
	struct faults *faults = X509_STORE_CTX_get_app_data(ctx);

	if (good == 1 || faults->count == CA_FAULTS_MAX)
		return 1;
	faults->list[faults->count++] = (struct ca_fault){
		.code = X509_STORE_CTX_get_error(ctx),
		.depth = X509_STORE_CTX_get_error_depth(ctx),
		.cert = X509_STORE_CTX_get_current_cert(ctx),
	};
	return 1;
}

static int
purpose_id(enum ca_purpose purpose)
{
	return purpose == CA_PURPOSE_CLIENT ? X509_PURPOSE_SSL_CLIENT : X509_PURPOSE_SSL_SERVER;
}

int
ca_verify(X509 *cert, STACK_OF(X509) * others, STACK_OF(X509) * cas, enum ca_purpose purpose, time_t when,
    struct ca_voucher *voucher, struct ca_fault ret[CA_FAULTS_MAX], size_t *ret_count, struct err *e)
{
	struct faults faults = { .list = ret };
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;
	int rc = -1;

	if (ctx == NULL || X509_STORE_CTX_init(ctx, NULL, cert, others) != 1 ||
	    X509_STORE_CTX_set_app_data(ctx, &faults) != 1)
		goto out;
	X509_STORE_CTX_set0_trusted_stack(ctx, cas);
	X509_STORE_CTX_set_verify_cb(ctx, fault_note);
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(param, when);
	if (purpose != CA_PURPOSE_ANY && X509_VERIFY_PARAM_set_purpose(param, purpose_id(purpose)) != 1)
		goto out;
	/* A certificate that libcrypto cannot make sense of ends it in spite of the callback. */
	if (X509_verify_cert(ctx) != 1) {
		if (X509_STORE_CTX_get_error(ctx) == X509_V_ERR_OUT_OF_MEM)
			goto out;
		if (X509_STORE_CTX_get_error(ctx) == X509_V_OK)
			X509_STORE_CTX_set_error(ctx, X509_V_ERR_UNSPECIFIED);
		(void)fault_note(0, ctx);
	}
	if (faults.count == 0 && purpose == CA_PURPOSE_CLIENT)
		ca_voucher_learn(voucher, ctx, cas);
	*ret_count = faults.count;
	rc = 0;
out:
	if (rc != 0)
		err_openssl(e, ERR_FAILED, "certificate: it cannot be verified");
	X509_STORE_CTX_free(ctx);
	ERR_clear_error();
	return rc;
}
