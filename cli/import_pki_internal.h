/* SPDX-License-Identifier: ISC */
#ifndef CLI_IMPORT_PKI_INTERNAL_H
#define CLI_IMPORT_PKI_INTERNAL_H

#include "cli/import_pki.h"
#include "cli/import_rules.h"

/* Inside import_pki*.c only. */

#define PKI_FILE_MAX (1 << 20) /* bytes of a certificate's file, also with its text in front of it */

/* NULL when there is none with that serial. */
struct pki_certificate *pki_find(const struct pki *p, const unsigned char serial[CA_SERIAL_SIZE]);

/* A new one, behind the others; NULL with e when there is no memory. */
struct pki_certificate *pki_add(struct pki *p, const unsigned char serial[CA_SERIAL_SIZE], struct err *e);

/* Note what is odd, at a line (0: none) of a file below the folder (NULL: none). */
void pki_note(const struct pki *p, enum import_rule rule, const char *file, unsigned long line, const char *element,
    const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* Every certificate in the folders where easy-rsa keeps them. */
int pki_files_read(struct pki *p, struct err *e);

#endif
