/* SPDX-License-Identifier: ISC */
#ifndef PHONE_OVPN_H
#define PHONE_OVPN_H

#include "common/buf.h"
#include "common/err.h"
#include "dseries/client.h"
#include "dseries/model.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The phone's reader of an inline .ovpn file, as strict as the OpenVPN in the phone (dseries/client.h): what that one
 * ends at is an error here, with the line and the reason.
 */

#define OVPN_MAX (1 << 20)
#define OVPN_NOTES_MAX 16
#define OVPN_NOTE_SIZE 192

struct ovpn {
	unsigned int remotes;
	bool remote_cert_tls;	/* of remote-cert-tls and remote-cert-ku, which say the same, the former came last */
	char cipher[CLIENT_LINE_MAX + 1];	/* data channel; 2.3.2's default, BF-CBC, where the file names none */
	char tls_cipher[CLIENT_LINE_MAX + 1];	/* the argument of tls-cipher, or "" */
	/* What stands in the last <ca>, <cert> and <key>: PEM, for certificate_check(). The key is secret. */
	struct buf ca, cert, key;
	/*
	 * What the phone's OpenVPN acts on, for the real one to run, which is 2.6: without the lines that it takes and
	 * ignores, without those that act on the phone itself (log files, user, daemon), and without those that 2.6
	 * ends at, each with a note. Holds the private key.
	 */
	struct buf effective;
	/* Taken by the phone, and yet worth a word. More than there is room for are counted only. */
	char notes[OVPN_NOTES_MAX][OVPN_NOTE_SIZE];
	size_t note_count;
};

/* ERR_INTEGRITY for the first thing that keeps the file from working. No text repeats what may be part of a key. */
int ovpn_read(const void *data, size_t len, const struct model *m, struct ovpn *ret, struct err *e);
void ovpn_release(struct ovpn *o);

#endif
