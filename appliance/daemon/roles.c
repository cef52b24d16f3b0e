#include "roles.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define GROUPS_MAX 1024 /* groups of one user that are looked at; more refuses */

static const struct {
	const char *name;
	unsigned role;
	bool entity_needed;
	const char *entity_classes[3];
} role_names[] = {
	{"caller", CS_ROLE_CALLER, true, {"agent", "person"}},
	{"approver", CS_ROLE_APPROVER, false, {"person"}},
	{"operator", CS_ROLE_OPERATOR, false, {NULL}},
	{"auditor", CS_ROLE_AUDITOR, false, {NULL}},
};

/* One person's work and its control are never in one hand. */
static const unsigned forbidden[] = {
	CS_ROLE_CALLER | CS_ROLE_APPROVER,
	CS_ROLE_OPERATOR | CS_ROLE_APPROVER,
};

static bool is_nobody(uint32_t id)
{
	return id == 0 || id == CS_OVERFLOW_ID;
}

static enum cs_err group_id(const char *name, gid_t *ret_gid, struct cs_fault *fault)
{
	char *end;

	if (name[0] >= '0' && name[0] <= '9') {
		errno = 0;
		unsigned long long number = strtoull(name, &end, 10);
		if (errno != 0 || *end != '\0' || number >= UINT32_MAX)
			return cs_fault_set(fault, CS_E_CONFIG, name, "not a group name or gid");
		*ret_gid = (gid_t)number;
		return CS_OK;
	}
	const struct group *group = getgrnam(name);
	if (group == NULL)
		return cs_fault_set(fault, CS_E_CONFIG, name, "no such group");
	*ret_gid = group->gr_gid;
	return CS_OK;
}

static enum cs_err read_entity(const char *name, size_t role, const char *entity,
	struct cs_role_row *row, struct cs_fault *fault)
{
	if (entity == NULL && role_names[role].entity_needed)
		return cs_fault_set(fault, CS_E_CONFIG, name, "a %s needs the entity it speaks for",
			role_names[role].name);
	if (entity == NULL)
		return CS_OK;
	for (size_t i = 0; role_names[role].entity_classes[i] != NULL; i++) {
		if (cs_id_ok(entity, role_names[role].entity_classes[i])) {
			strcpy(row->entity, entity); /* cs_id_ok bounds it */
			return CS_OK;
		}
	}
	return cs_fault_set(fault, CS_E_CONFIG, name, "'%s' is no entity for a %s", entity,
		role_names[role].name);
}

static enum cs_err read_row(
	const struct cs_setting *entry, struct cs_role_row *row, struct cs_fault *fault)
{
	char value[CS_ID_MAX + 32], *rest = NULL;
	size_t role = 0;
	enum cs_err err;

	row->group = entry->name[0] == '@';
	if (row->group)
		err = group_id(entry->name + 1, &row->id, fault);
	else
		err = cs_user_id(entry->name, &row->id, fault);
	if (err != CS_OK)
		return err;
	if (is_nobody(row->id))
		return cs_fault_set(
			fault, CS_E_CONFIG, entry->name, "root and the overflow user have no role");
	if (strlen(entry->value) >= sizeof value)
		return cs_fault_set(fault, CS_E_CONFIG, entry->name, "too long");
	strcpy(value, entry->value);
	const char *name = strtok_r(value, " \t", &rest);
	const char *entity = strtok_r(NULL, " \t", &rest);
	if (name == NULL || strtok_r(NULL, " \t", &rest) != NULL)
		return cs_fault_set(
			fault, CS_E_CONFIG, entry->name, "'%s' is not ROLE [ENTITY]", entry->value);
	while (role < sizeof role_names / sizeof role_names[0] &&
		strcmp(role_names[role].name, name) != 0)
		role++;
	if (role == sizeof role_names / sizeof role_names[0])
		return cs_fault_set(fault, CS_E_CONFIG, entry->name, "'%s' is no role", name);
	row->role = role_names[role].role;
	return read_entity(entry->name, role, entity, row, fault);
}

static bool row_applies(
	const struct cs_role_row *row, uid_t uid, const gid_t *groups, size_t group_count)
{
	if (!row->group)
		return row->id == uid;
	for (size_t i = 0; i < group_count; i++)
		if (row->id == groups[i])
			return true;
	return false;
}

/* `have` is the peer's entity so far; two different ones would let it choose. */
static enum cs_err merge_entity(
	const struct cs_role_row *row, bool first, char *have, struct cs_fault *fault)
{
	if (!first && strcmp(have, row->entity) != 0)
		return cs_fault_set(fault, CS_E_PERMISSION, "",
			"the user speaks for both '%s' and '%s'", have, row->entity);
	strcpy(have, row->entity);
	return CS_OK;
}

enum cs_err cs_roles_of(const struct cs_roles *roles, uid_t uid, const gid_t *groups,
	size_t group_count, struct cs_peer *ret_peer, struct cs_fault *fault)
{
	struct cs_peer peer = {.uid = uid};
	enum cs_err err = CS_OK;

	if (is_nobody(uid))
		return cs_fault_set(
			fault, CS_E_PERMISSION, "", "uid %u has no role", (unsigned)uid);
	for (size_t i = 0; i < roles->count && err == CS_OK; i++) {
		const struct cs_role_row *row = &roles->row[i];
		if (!row_applies(row, uid, groups, group_count))
			continue;
		bool first = (peer.roles & row->role) == 0;
		if (row->role == CS_ROLE_CALLER)
			err = merge_entity(row, first, peer.caller, fault);
		else if (row->role == CS_ROLE_APPROVER)
			err = merge_entity(row, first, peer.approver, fault);
		peer.roles |= row->role;
	}
	if (err != CS_OK)
		return err;
	for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++)
		if ((peer.roles & forbidden[i]) == forbidden[i])
			return cs_fault_set(fault, CS_E_PERMISSION, "",
				"uid %u has two roles that exclude each other", (unsigned)uid);
	if (peer.roles == 0)
		return cs_fault_set(
			fault, CS_E_PERMISSION, "", "uid %u has no role", (unsigned)uid);
	*ret_peer = peer;
	return CS_OK;
}

static enum cs_err check_user(const struct cs_roles *roles, uid_t uid, const char *name,
	gid_t primary, struct cs_fault *fault)
{
	gid_t groups[GROUPS_MAX];
	int count = GROUPS_MAX;
	struct cs_peer peer;
	struct cs_fault inner = {0};
	bool listed = false;

	if (is_nobody(uid))
		return CS_OK;
	if (name == NULL)
		count = 0;
	else if (getgrouplist(name, primary, groups, &count) < 0)
		return cs_fault_set(
			fault, CS_E_CONFIG, name, "is in more than %d groups", GROUPS_MAX);
	for (size_t i = 0; i < roles->count; i++)
		listed = listed || row_applies(&roles->row[i], uid, groups, (size_t)count);
	if (!listed || cs_roles_of(roles, uid, groups, (size_t)count, &peer, &inner) == CS_OK)
		return CS_OK;
	return cs_fault_set(fault, CS_E_CONFIG, name ? name : "", "%s", inner.detail);
}

static enum cs_err check_users(const struct cs_roles *roles, struct cs_fault *fault)
{
	const struct passwd *user;
	enum cs_err err = CS_OK;

	/*
	 * Users without an entry in the user database, then everybody in it: any of them may belong
	 * to a listed group.
	 */
	for (size_t i = 0; i < roles->count && err == CS_OK; i++)
		if (!roles->row[i].group && getpwuid(roles->row[i].id) == NULL)
			err = check_user(roles, roles->row[i].id, NULL, 0, fault);
	setpwent();
	while (err == CS_OK && (user = getpwent()) != NULL) {
		char name[256];
		if (strlen(user->pw_name) >= sizeof name)
			continue;
		strcpy(name, user->pw_name);
		err = check_user(roles, user->pw_uid, name, user->pw_gid, fault);
	}
	endpwent();
	return err;
}

enum cs_err cs_roles_read(
	const struct cs_settings *settings, struct cs_roles *ret_roles, struct cs_fault *fault)
{
	enum cs_err err = CS_OK;

	memset(ret_roles, 0, sizeof *ret_roles);
	for (size_t i = 0; i < settings->count && err == CS_OK; i++)
		if (strcmp(settings->entry[i].section, "roles") == 0)
			err = read_row(
				&settings->entry[i], &ret_roles->row[ret_roles->count++], fault);
	if (err == CS_OK && ret_roles->count == 0)
		err = cs_fault_set(fault, CS_E_CONFIG, settings->path, "[roles] names nobody");
	return err == CS_OK ? check_users(ret_roles, fault) : err;
}

enum cs_err cs_roles_of_socket(
	const struct cs_roles *roles, int fd, struct cs_peer *ret_peer, struct cs_fault *fault)
{
	struct ucred cred;
	socklen_t len = sizeof cred;
	gid_t groups[GROUPS_MAX + 1];
	size_t count = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0 || len != sizeof cred)
		return cs_fault_set(fault, CS_E_IO, "", "SO_PEERCRED: %s", strerror(errno));
	len = GROUPS_MAX * sizeof groups[0];
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) != 0)
		return cs_fault_set(
			fault, CS_E_PERMISSION, "", "SO_PEERGROUPS: %s", strerror(errno));
	count = len / sizeof groups[0];
	groups[count++] = cred.gid; /* the kernel's list holds the supplementary groups only */
	return cs_roles_of(roles, cred.uid, groups, count, ret_peer, fault);
}
