/*
 * One key has one usage; a usage signs only its own kinds of document. One table for signer,
 * verifier and provisioning.
 */
#ifndef CS_USAGE_H
#define CS_USAGE_H

#include <stdbool.h>

enum cs_usage {
	/* a person's token: decisions, trust sets, policies, published keys, grants, enrolment */
	CS_USAGE_PERSON,
	CS_USAGE_SEAL,	     /* seal statements as JWS */
	CS_USAGE_CHECKPOINT, /* checkpoints of the log */
	CS_USAGE_DOCUMENT,   /* engine certificates */
	CS_USAGE_BINDING,    /* binding session certificates */
	/* certified session key: briefs, snapshots, maps, decision records, states */
	CS_USAGE_ENGINE,
	CS_USAGE_COUNT
};

/* A checkpoint is a signed note and has no schema; in the table it goes by this name. */
#define CS_USAGE_SCHEMA_CHECKPOINT "c2sp.checkpoint"

/* "person", "seal", …; "unknown" outside the list. */
const char *cs_usage_name(enum cs_usage usage);
/* CS_USAGE_COUNT when unknown. */
enum cs_usage cs_usage_by_name(const char *name);
/*
 * `schema` is the document's schema name ("kye.authority.grant.v1" and "kye.purpose.grant.v1" for
 * grants, which carry none). Default: no.
 */
bool cs_usage_may_sign(enum cs_usage usage, const char *schema);

#endif
