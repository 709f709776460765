/* SPDX-License-Identifier: ISC */
#include "phone/upload.h"

int
upload_check(const struct phone *p, const struct buf *file, time_t clock, struct err *e)
{
	struct certificate_info certificate;
	struct ovpn o;
	int rc;

	if (file->len == 0)
		return err_set(e, ERR_INTEGRITY, "expected an OpenVPN configuration file, found an empty one");
	if (file->broken || file->len > STORE_BUNDLE_MAX)
		return err_set(e, ERR_INTEGRITY, "expected at most %d bytes, found more", STORE_BUNDLE_MAX);
	if (ovpn_read(file->data, file->len, p->model, &o, e) != 0)
		return -1;
	rc = phone_check_certificate(&o, clock, NULL, &certificate, e);
	ovpn_release(&o);
	return rc;
}
