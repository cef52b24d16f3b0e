/*
 * Which Unix user may do what, and for whom it speaks. Access and rate only: human authority is
 * never more than a token's signature.
 */
#ifndef CS_ROLES_H
#define CS_ROLES_H

#include <sys/types.h>
#include "address.h"
#include "settings.h"

#define CS_ROLE_CALLER 1u
#define CS_ROLE_APPROVER 2u
#define CS_ROLE_OPERATOR 4u
#define CS_ROLE_AUDITOR 8u

#define CS_ROLES_MAX CS_SETTINGS_MAX
#define CS_OVERFLOW_ID 65534u /* what the kernel shows for an id outside the user namespace */

struct cs_role_row {
	bool group;
	uint32_t id;
	unsigned role;
	char entity[CS_ID_MAX + 1]; /* "" when the row names none */
};

struct cs_roles {
	size_t count;
	struct cs_role_row row[CS_ROLES_MAX];
};

/* What a connection may do. */
struct cs_peer {
	uid_t uid;
	unsigned roles;
	char caller[CS_ID_MAX + 1];   /* entity it proposes for; "" without the role */
	char approver[CS_ID_MAX + 1]; /* person it opens briefs as; "" when it may name any */
};

/*
 * Reads the section [roles]: USER or @GROUP = ROLE [ENTITY]. A caller needs an entity
 * (kye:agent:… or kye:person:…), an approver may have a person. Refuses root and the overflow user,
 * and then every user known to the system that would come out as both caller and approver, as
 * operator and approver, or as two entities: CS_E_CONFIG naming it.
 */
CS_MUST_CHECK enum cs_err cs_roles_read(
	const struct cs_settings *settings, struct cs_roles *ret_roles, struct cs_fault *fault);

/*
 * The union of the rows for this user and its groups. CS_E_PERMISSION for uid 0, the overflow uid,
 * nobody in the table, or a combination that cs_roles_read refuses (group membership may have
 * changed since).
 */
CS_MUST_CHECK enum cs_err cs_roles_of(const struct cs_roles *roles, uid_t uid, const gid_t *groups,
	size_t group_count, struct cs_peer *ret_peer, struct cs_fault *fault);

/*
 * The same for the peer of a connected Unix socket (SO_PEERCRED, SO_PEERGROUPS). CS_E_PERMISSION,
 * CS_E_IO.
 */
CS_MUST_CHECK enum cs_err cs_roles_of_socket(
	const struct cs_roles *roles, int fd, struct cs_peer *ret_peer, struct cs_fault *fault);

#endif
