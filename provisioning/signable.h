/*
 * What a person's token signs here, and nothing else: one table of shapes, default refuse. No raw
 * bytes are ever signed.
 *
 * `may_sign` checks all that can be known before the token is touched: the content, that the key
 * is this person's, that it has not signed this document yet, and that the person may sign it at
 * all.
 */
#ifndef CS_SIGNABLE_H
#define CS_SIGNABLE_H

#include "schema.h"
#include "signature.h"

struct cs_signing {
	struct cs_schema_registry *registry;
	const json_t *document;
	const json_t *previous; /* the version before, or NULL */
	const char *person;
	const char *kid;
	const struct cs_public_key *key; /* the token's; NULL before the token is open */
};

struct cs_signable {
	const char *schema;
	bool inside; /* the `signature` string of a grant; else one more entry of `signatures` */
	enum cs_err (*may_sign)(const struct cs_signing *signing, struct cs_fault *fault);
};

/* The row for this document, or NULL: not a shape that is ever signed here. */
const struct cs_signable *cs_signable_find(const json_t *document);

#endif
