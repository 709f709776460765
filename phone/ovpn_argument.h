/* SPDX-License-Identifier: ISC */
#ifndef PHONE_OVPN_ARGUMENT_H
#define PHONE_OVPN_ARGUMENT_H

#include "phone/ovpn_reader.h"

/*
 * Arguments of a directive at which 2.3.2 ends, whatever else the file says: add_option() in its options.c, where no other
 * place is named. What all the lines together say is ovpn_whole.h's.
 */

/* 0, or -1 by ovpn_fatal(). w holds as many arguments as the directive needs. */
int ovpn_argument_check(struct ovpn_reader *r, const struct ovpn_words *w);

/* As the C library reads a number from the front of a word; what does not fit is held at the limits. */
long ovpn_argument_number(const char *word);

#endif
