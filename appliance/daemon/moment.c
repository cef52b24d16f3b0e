#include "moment.h"

#include <sodium.h>
#include <stdio.h>
#include <time.h>

cs_time cs_now(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_REALTIME, &ts) != 0 || ts.tv_sec < 0)
		return 0;
	cs_time now = (cs_time)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
	return now > CS_TIME_MAX ? CS_TIME_MAX : now;
}

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
