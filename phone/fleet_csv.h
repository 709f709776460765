/* SPDX-License-Identifier: ISC */
#ifndef PHONE_FLEET_CSV_H
#define PHONE_FLEET_CSV_H

#include "phone/fleet_list.h"

#define FLEET_CSV_MAX (64 << 20) /* bytes of a file */

/*
 * Read the phones of a CSV file by the rules of fleet.csv(5): mac and model must be there, firmware may be, and so may
 * the phone's own login, as http_password with http_user (the MAC where it is empty), and its own config_url. The other
 * columns of that page are ignored. Rows that are no phone, and MACs that occur twice, go to problems, in the order of
 * lines. ERR_INPUT when the file as a whole is none. Release the list in any case.
 */
int fleet_csv_parse(const void *data, size_t len, struct fleet_list *ret, struct err *e);

#endif
