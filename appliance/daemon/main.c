/*
 * countersignd: parses what strangers send, runs the gate, collects approvals, composes packs. It
 * holds no token key and no PIN.
 */
#include "actions.h"
#include "in_force.h"
#include "log.h"
#include "methods.h"
#include "moment.h"
#include "sandbox.h"
#include "varlink.h"

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#define EXIT_REFUSED 1
#define EXIT_USAGE_ERROR 2
#define DEFAULT_SETTINGS "/etc/countersign/countersign.conf"

void cs_daemon_changed(struct cs_daemon *daemon, const char *action)
{
	cs_methods_changed(daemon, action);
}

/* ---- hooks of the sealer ---- */

static void on_changed(void *context, const char *action)
{
	cs_methods_changed(context, action);
}

static void on_stalled(void *context, enum cs_err err, const char *detail)
{
	(void)err;
	cs_methods_stalled(context, detail);
}

static bool on_outdated(void *context)
{
	return cs_in_force_outdated(context);
}

static void on_settled(void *context)
{
	struct cs_daemon *d = context;
	char status[512];

	d->ready = true;
	snprintf(status, sizeof status, "READY=1\nSTATUS=log of %llu leaves",
		(unsigned long long)cs_sealer_frontier(d->sealer)->size);
	if (sd_notify(0, status) < 0)
		cs_log(CS_LOG_WARNING, "the service manager cannot be told");
	cs_log(CS_LOG_INFO, "ready: trust set %s, policy %s", d->book->trust_set,
		d->book->policy_address);
}

/* ---- signals ---- */

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata)
{
	struct cs_daemon *d = userdata;

	(void)source;
	(void)si;
	sd_notify(0, "STOPPING=1");
	return sd_event_exit(d->event, 0);
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata)
{
	(void)source;
	(void)si;
	cs_in_force_reload(userdata);
	return 0;
}

static int on_expiry(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	cs_actions_expire(userdata);
	return 0;
}

/* ---- the socket ---- */

static enum cs_err bind_socket(const char *path, int *ret_fd, struct cs_fault *fault)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof address.sun_path)
		return cs_fault_set(fault, CS_E_CONFIG, path, "the path is too long for a socket");
	strcpy(address.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return cs_fault_set(fault, CS_E_IO, path, "socket: %s", strerror(errno));
	struct stat st;
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(path);
	/* Everybody may connect; what they may do is decided by who they are. */
	mode_t mask = umask(0111);
	int r = bind(fd, (struct sockaddr *)&address, sizeof address);
	umask(mask);
	if (r != 0 || listen(fd, SOMAXCONN) != 0) {
		int error = errno;
		close(fd);
		return cs_fault_set(fault, CS_E_IO, path, "cannot listen: %s", strerror(error));
	}
	*ret_fd = fd;
	return CS_OK;
}

static enum cs_err open_socket(const char *path, int *ret_fd, struct cs_fault *fault)
{
	int count = sd_listen_fds(1);

	if (count < 0)
		return cs_fault_set(fault, CS_E_CONFIG, "LISTEN_FDS", "%s", strerror(-count));
	if (count == 0)
		return bind_socket(path, ret_fd, fault);
	if (count > 1 || sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_STREAM, 1, NULL, 0) <= 0)
		return cs_fault_set(fault, CS_E_CONFIG, "LISTEN_FDS",
			"one listening Unix stream socket is needed");
	*ret_fd = SD_LISTEN_FDS_START;
	return CS_OK;
}

/* ---- start and stop ---- */

static enum cs_err add_sources(struct cs_daemon *d, struct cs_fault *fault)
{
	sigset_t mask;

	/* A reader of the log that goes, or a disk that is full, is an error of a write and no more. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &mask, NULL) != 0 || sd_event_default(&d->event) < 0 ||
		sd_event_add_signal(d->event, NULL, SIGTERM, on_stop, d) < 0 ||
		sd_event_add_signal(d->event, NULL, SIGINT, on_stop, d) < 0 ||
		sd_event_add_signal(d->event, NULL, SIGHUP, on_reload, d) < 0 ||
		sd_event_add_time_relative(
			d->event, &d->expiry, CLOCK_MONOTONIC, 0, 100000, on_expiry, d) < 0 ||
		sd_event_set_watchdog(d->event, true) < 0)
		return cs_fault_set(fault, CS_E_INTERNAL, "", "the event loop cannot be set up");
	return CS_OK;
}

static enum cs_err start(struct cs_daemon *d, const char *settings, struct cs_fault *fault)
{
	struct cs_frontier frontier = {0};
	const struct cs_sealer_hooks hooks = {on_changed, on_stalled, on_outdated, on_settled, d};
	int fd = -1;

	d->started_at = cs_now();
	enum cs_err err = cs_daemon_settings_read(settings, &d->settings, fault);
	if (err == CS_OK)
		err = add_sources(d, fault);
	if (err == CS_OK)
		err = cs_store_open(d->settings->state_directory, &d->store, &frontier, fault);
	if (err == CS_OK)
		err = cs_store_refusals_forget(d->store);
	if (err == CS_OK)
		err = cs_in_force_start(d, fault);
	if (err == CS_OK)
		err = cs_sealer_new(d->event, d->settings, &d->book, d->store, &d->engine,
			&frontier, &hooks, &d->sealer);
	if (err == CS_OK)
		err = open_socket(d->settings->socket, &fd, fault);
	if (err == CS_OK)
		err = cs_server_new(d, fd, &d->server, fault);
	if (err != CS_OK)
		return err;
	cs_actions_invalidate(d);
	return cs_sandbox_late(fault);
}

static void stop(struct cs_daemon *d)
{
	cs_server_free(d->server);
	cs_sealer_free(d->sealer);
	cs_engine_clear(&d->engine);
	cs_rulebook_free(d->book);
	cs_store_close(d->store);
	sd_event_source_disable_unref(d->expiry);
	cs_in_force_stop(d);
	sd_event_unref(d->event);
	cs_daemon_settings_free(d->settings);
}

static const char *settings_argument(int argc, char **argv)
{
	if (argc == 1)
		return DEFAULT_SETTINGS;
	return argc == 3 && strcmp(argv[1], "--settings") == 0 ? argv[2] : NULL;
}

int main(int argc, char **argv)
{
	struct cs_daemon daemon = {0};
	struct cs_fault fault = {0};
	const char *settings = settings_argument(argc, argv);

	if (sodium_init() < 0) {
		cs_log(CS_LOG_ERROR, "libsodium does not work here");
		return EXIT_REFUSED;
	}
	if (settings == NULL) {
		fprintf(stderr, "usage: countersignd [--settings FILE]\n");
		return EXIT_USAGE_ERROR;
	}
	enum cs_err err = cs_sandbox_early(&fault);
	if (err == CS_OK)
		err = start(&daemon, settings, &fault);
	if (err != CS_OK) {
		cs_log_fault(CS_LOG_ERROR, "cannot start", err, &fault);
		stop(&daemon);
		return err == CS_E_CONFIG || err == CS_E_NOT_FOUND ? EXIT_USAGE_ERROR
								   : EXIT_REFUSED;
	}
	int r = sd_event_loop(daemon.event);
	if (r < 0)
		cs_log(CS_LOG_ERROR, "event loop: %s", strerror(-r));
	stop(&daemon);
	return r < 0 ? EXIT_REFUSED : r;
}
