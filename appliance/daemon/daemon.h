/*
 * Everything that the broker holds, in one place.
 */
#ifndef CS_DAEMON_H
#define CS_DAEMON_H

#include <systemd/sd-event.h>
#include "sealer.h"

struct cs_server;

struct cs_daemon {
	sd_event *event;
	struct cs_daemon_settings *settings;
	struct cs_store *store;
	struct cs_rulebook *book; /* replaced as a whole on reload */
	struct cs_engine engine;
	struct cs_sealer *sealer;
	struct cs_server *server;
	sd_event_source *expiry;   /* when the next waiting action expires */
	sd_event_source *versions; /* when the next version comes into force */
	cs_time started_at;
	bool ready; /* the service manager was told */
};

/* Something about this action changed: whoever waits for it is told. */
void cs_daemon_changed(struct cs_daemon *daemon, const char *action);

#endif
