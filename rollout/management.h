/* SPDX-License-Identifier: ISC */
#ifndef ROLLOUT_MANAGEMENT_H
#define ROLLOUT_MANAGEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/*
 * What an OpenVPN server tells on its management interface (management-notes.txt of OpenVPN 2.6), read line by line. No
 * I/O. A listener that only listens is told of each client that is established, with the serial number of its
 * certificate, without any further option of the server's; of one that leaves only where the server has
 * management-client-auth (manage.c: DAF_INITIAL_AUTH).
 */

#define MANAGEMENT_LINE_MAX 4096	/* bytes; a longer line is passed over */
#define MANAGEMENT_SERIAL_SIZE 20	/* RFC 5280 section 4.1.2.2 */
#define MANAGEMENT_DIGEST_SIZE 32	/* SHA-256 */

enum management_event {
	MANAGEMENT_HELLO,	/* attached */
	MANAGEMENT_BEGAN,	/* a client's session, with all that struct management_client has */
	MANAGEMENT_ENDED,	/* of such a session */
	MANAGEMENT_LISTED,	/* a client of "status 3": without serial and digest */
	MANAGEMENT_LIST_END,
	MANAGEMENT_KILLED,	/* the answer to a client-kill: the client is told, and goes */
	MANAGEMENT_NOT_KILLED,	/* there is no such client */
	MANAGEMENT_PASSWORD,	/* the server wants a password before it says anything */
	MANAGEMENT_ADMISSION,	/* the server lets no client in that the listener does not admit */
	MANAGEMENT_HOLD,	/* the server waits for the listener's leave to begin */
};

struct management_client {
	uint64_t id;		/* the server's number for it, from 0 after each start */
	time_t since;		/* with id and server, it names the session */
	char name[65];		/* the certificate's common name */
	char address[64];	/* where it is: address and port */
	bool has_certificate;
	unsigned char serial[MANAGEMENT_SERIAL_SIZE];	/* big end first, zeros in front */
	unsigned char digest[MANAGEMENT_DIGEST_SIZE];	/* SHA-256 of the certificate's DER */
};

/* All zero to begin with. */
struct management_reader {
	char line[MANAGEMENT_LINE_MAX + 1];
	size_t len;
	bool is_too_long;
	bool in_list, in_block;
	unsigned int block_event, seen;
	struct management_client client;
	char ip[48], port[8];
};

/*
 * Take bytes that the server has sent, in whatever pieces, and call each for everything that they tell; client is NULL
 * where there is none, and borrowed. Lines that are broken, or of no interest, are passed over.
 */
void management_read(struct management_reader *r, const void *data, size_t len,
    void (*each)(void *arg, enum management_event event, const struct management_client *client), void *arg);

#endif
