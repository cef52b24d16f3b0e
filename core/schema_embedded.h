/*
 * The schemas of schemas/, embedded at build time by schemas/embed.sh.
 */
#ifndef CS_SCHEMA_EMBEDDED_H
#define CS_SCHEMA_EMBEDDED_H

#include <stddef.h>

struct cs_embedded_schema {
	const char *name;	/* file name without ".json"; NULL ends the list */
	const unsigned char *data;
	size_t len;
};

extern const struct cs_embedded_schema cs_embedded_schemas[];

#endif
