/*
 * Randomness, new identifiers and the clock: what core/ takes as arguments.
 */
#ifndef CS_MOMENT_H
#define CS_MOMENT_H

#include "clock_now.h"
#include "address.h"

/* Writes a new ULID of this moment. */
void cs_new_ulid(cs_time now, char text[CS_ULID_TEXT]);
/* Writes "kye:CLASS:ULID" into `id`, which must hold CS_ID_MAX + 1 bytes. */
void cs_new_id(const char *class_name, cs_time now, char *id);

#endif
