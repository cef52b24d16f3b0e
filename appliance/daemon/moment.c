#include "moment.h"

#include <sodium.h>
#include <stdio.h>

void cs_new_ulid(cs_time now, char text[CS_ULID_TEXT])
{
	uint8_t random[10];

	randombytes_buf(random, sizeof random);
	cs_ulid_print(now, random, text);
}

void cs_new_id(const char *class_name, cs_time now, char *id)
{
	char ulid[CS_ULID_TEXT];

	cs_new_ulid(now, ulid);
	snprintf(id, CS_ID_MAX + 1, "kye:%s:%s", class_name, ulid);
}
