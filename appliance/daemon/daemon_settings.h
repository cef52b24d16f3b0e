/*
 * What /etc/countersign/countersign.conf says, as typed values.
 */
#ifndef CS_DAEMON_SETTINGS_H
#define CS_DAEMON_SETTINGS_H

#include <countersign/limits.h>
#include "roles.h"

struct cs_daemon_settings {
	struct cs_settings *raw; /* owns the strings below */
	const char *origin;
	const char *socket;
	const char *state_directory;
	const char *trust_directory;
	const char *trust_genesis;
	const char *policy_directory;
	const char *policy_genesis;
	const char *signer_socket;
	uid_t signer_uid;
	int64_t deadline_seconds;    /* for one call to the signer */
	int64_t open_actions;	     /* per caller, not yet final */
	int64_t requests_per_minute; /* per Unix user */
	int64_t queue;		     /* calls that wait for a seal */
	struct cs_roles roles;
};

/* CS_E_CONFIG, CS_E_NOT_FOUND, CS_E_IO. Free with cs_daemon_settings_free. */
CS_MUST_CHECK enum cs_err cs_daemon_settings_read(
	const char *path, struct cs_daemon_settings **ret_settings, struct cs_fault *fault);
void cs_daemon_settings_free(struct cs_daemon_settings *settings);

#endif
