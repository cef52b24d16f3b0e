#include "varlink_call.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define USER_CLIENTS_MAX (CS_CLIENTS_MAX / 4) /* connections of one user */
/* bytes buffered of one connection: a message and what was pipelined */
#define IN_MAX (CS_MESSAGE_MAX + 64 * 1024)
#define IN_TOTAL_MAX (64 * 1024 * 1024) /* of all */
#define OUT_MAX (4 * 1024 * 1024)	/* bytes that one peer has not read */
/* a buffer that grew larger is given back */
#define KEEP (64 * 1024)
#define PARTIAL_USEC UINT64_C(10000000) /* an incomplete message */
#define STUCK_USEC UINT64_C(30000000)	/* answers that nobody reads */
#define IDLE_USEC UINT64_C(600000000)	/* nothing at all */
#define SWEEP_USEC UINT64_C(1000000)
#define SHARE_USEC UINT64_C(10000) /* work for one user in one round of all of them */
#define RATES_MAX 512		   /* users whose calls are counted */
#define ACCEPT_MAX 64		   /* connections taken in a row */

struct rate {
	uid_t uid;
	double tokens;
	uint64_t at;
	uint64_t round; /* in which `spent` was spent */
	uint64_t spent; /* usec of work */
};

struct cs_server {
	struct cs_daemon *daemon;
	int fd;
	sd_event_source *accept;
	sd_event_source *soon; /* work that was put off, and dead connections */
	sd_event_source *sweep;
	struct cs_call *calls;
	size_t count;
	size_t buffered; /* sum of in.cap */
	bool armed;	 /* `soon` is on */
	bool full;	 /* the listener rests: no descriptor or memory for another connection */
	struct rate rate[RATES_MAX];
	size_t rate_count;
	uint64_t round; /* each ends when everybody with work has had a turn */
};

uint64_t cs_monotonic(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) != 0)
		return 1;
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000 + 1;
}

struct cs_daemon *cs_server_daemon(const struct cs_server *server)
{
	return server->daemon;
}

size_t cs_server_clients(const struct cs_server *server)
{
	return server->count;
}

/*
 * By a timer that has elapsed already: a deferred source is always the first of all that are
 * pending, so that endless work would let nobody else in.
 */
static void later(struct cs_server *server)
{
	if (server->armed)
		return;
	if (sd_event_source_set_time_relative(server->soon, 0) < 0 ||
		sd_event_source_set_enabled(server->soon, SD_EVENT_ONESHOT) < 0)
		cs_log(CS_LOG_ERROR, "varlink: the event loop takes no work");
	else
		server->armed = true;
}

static void bury(struct cs_call *call)
{
	call->dead = true;
	later(call->server);
}

/* ---- rate ---- */

static struct rate *rate_of(struct cs_server *server, uid_t uid, uint64_t now)
{
	struct rate *oldest = &server->rate[0];

	for (size_t i = 0; i < server->rate_count; i++) {
		if (server->rate[i].uid == uid)
			return &server->rate[i];
		if (server->rate[i].at < oldest->at)
			oldest = &server->rate[i];
	}
	/* Forgetting who was quiet longest costs at most one refill of that user's allowance. */
	if (server->rate_count < RATES_MAX)
		oldest = &server->rate[server->rate_count++];
	*oldest = (struct rate){
		.uid = uid,
		.tokens = (double)server->daemon->settings->requests_per_minute,
		.at = now,
		.round = server->round,
	};
	return oldest;
}

bool cs_server_rate(struct cs_server *server, uid_t uid)
{
	uint64_t now = cs_monotonic();
	struct rate *rate = rate_of(server, uid, now);
	double most = (double)server->daemon->settings->requests_per_minute;

	rate->tokens += (double)(now - rate->at) * most / 60e6;
	if (rate->tokens > most)
		rate->tokens = most;
	rate->at = now;
	if (rate->tokens < 1)
		return false;
	rate->tokens -= 1;
	return true;
}

bool cs_server_turn(struct cs_server *server, uid_t uid)
{
	struct rate *rate = rate_of(server, uid, cs_monotonic());

	if (rate->round != server->round) {
		rate->round = server->round;
		rate->spent = 0;
	}
	return rate->spent < SHARE_USEC;
}

void cs_server_spent(struct cs_server *server, uid_t uid, uint64_t usec)
{
	rate_of(server, uid, cs_monotonic())->spent += usec;
}

/* ---- reading and writing ---- */

static void update(struct cs_call *call)
{
	uint32_t events = 0;

	if (call->dead)
		return;
	if (!call->eof && !call->closing && call->in.len < IN_MAX)
		events |= EPOLLIN;
	if (call->written < call->out.len)
		events |= EPOLLOUT;
	if (sd_event_source_set_io_events(call->io, events) < 0)
		bury(call);
}

static void give_back(struct cs_bytes *b)
{
	if (b->len == 0 && b->cap > KEEP)
		cs_bytes_free(b);
}

/* Whether the connection has nothing left to live for. */
static bool is_over(const struct cs_call *call)
{
	if (call->written < call->out.len)
		return false;
	return call->closing || (call->eof && !call->open && !call->unfinished);
}

static void flush(struct cs_call *call)
{
	while (call->written < call->out.len) {
		ssize_t n = send(call->fd, call->out.data + call->written,
			call->out.len - call->written, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (n < 0) {
			bury(call);
			return;
		}
		call->written += (size_t)n;
		call->stuck_since = 0;
	}
	if (call->written == call->out.len) {
		call->out.len = call->written = 0;
		call->stuck_since = 0;
		give_back(&call->out);
		return;
	}
	if (call->stuck_since == 0)
		call->stuck_since = cs_monotonic();
	if (call->written > KEEP) {
		memmove(call->out.data, call->out.data + call->written,
			call->out.len - call->written);
		call->out.len -= call->written;
		call->written = 0;
	}
}

void cs_call_send(struct cs_call *call, const json_t *message)
{
	/* The NUL that ends a message is one that cs_bytes does not count, so it is added. */
	if (call->dead)
		return;
	if (call->out.len - call->written > OUT_MAX ||
		cs_canonical_print(message, &call->out) != CS_OK ||
		cs_bytes_add(&call->out, "", 1) != CS_OK) {
		bury(call);
		return;
	}
	later(call->server);
}

static void after_input(struct cs_call *call)
{
	call->unfinished = !cs_call_work(call);
	if (call->unfinished)
		later(call->server);
	if (call->in.len == 0)
		give_back(&call->in);
}

static void read_some(struct cs_call *call)
{
	struct cs_server *server = call->server;
	uint8_t part[65536];
	size_t cap = call->in.cap;

	ssize_t n = recv(call->fd, part, sizeof part, 0);
	if (n < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK))
		return;
	if (n < 0) {
		bury(call);
		return;
	}
	if (n == 0) {
		call->eof = true;
		return;
	}
	call->idle_since = cs_monotonic();
	if (cs_bytes_add(&call->in, part, (size_t)n) != CS_OK) {
		bury(call);
		return;
	}
	server->buffered += call->in.cap - cap;
	cap = call->in.cap;
	/* Whoever says little is heard, however much others are in the middle of saying. */
	if (server->buffered > IN_TOTAL_MAX && call->in.len > KEEP) {
		struct cs_fault fault = {0};
		enum cs_err err = cs_fault_set(
			&fault, CS_E_BUSY, "", "too much is buffered for all connections");
		cs_call_garbage(call, err, &fault);
	}
	after_input(call);
	server->buffered = server->buffered + call->in.cap - cap;
}

static int on_call_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct cs_call *call = userdata;

	(void)source;
	(void)fd;
	if (call->dead)
		return 0;
	if (revents & EPOLLIN)
		read_some(call);
	if (!call->dead && (revents & EPOLLOUT))
		flush(call);
	/* Both directions are gone: nobody is there to be answered. */
	if (revents & (EPOLLHUP | EPOLLERR))
		bury(call);
	later(call->server);
	update(call);
	return 0;
}

/* ---- connections ---- */

static void call_free(struct cs_call *call)
{
	call->server->buffered -= call->in.cap;
	sd_event_source_disable_unref(call->io);
	close(call->fd);
	cs_bytes_free(&call->in);
	cs_bytes_free(&call->out);
	free(call);
}

static int on_soon(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct cs_server *server = userdata;
	struct cs_call **link = &server->calls;

	(void)source;
	(void)usec;
	server->armed = false;
	server->round++;
	while (*link != NULL) {
		struct cs_call *call = *link;
		size_t cap = call->in.cap;
		if (!call->dead)
			after_input(call);
		server->buffered = server->buffered + call->in.cap - cap;
		if (!call->dead)
			flush(call);
		if (call->dead || is_over(call)) {
			*link = call->next;
			server->count--;
			call_free(call);
			continue;
		}
		update(call);
		link = &call->next;
	}
	return 0;
}

static size_t clients_of(const struct cs_server *server, uid_t uid)
{
	size_t count = 0;

	for (const struct cs_call *call = server->calls; call != NULL; call = call->next)
		if (call->peer.uid == uid)
			count++;
	return count;
}

static enum cs_err identify(struct cs_server *server, struct cs_call *call)
{
	struct ucred cred;
	socklen_t len = sizeof cred;

	call->access =
		cs_roles_of_socket(&server->daemon->settings->roles, call->fd, &call->peer, NULL);
	if (getsockopt(call->fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
		return CS_E_IO;
	call->peer.uid = cred.uid;
	return CS_OK;
}

/*
 * Who waits to be accepted keeps the listener ready: without a rest the loop would do nothing but
 * fail and say so. The next sweep tries again.
 */
static void accept_failed(struct cs_server *server, int error)
{
	if (error == EAGAIN || error == EINTR || error == ECONNABORTED)
		return;
	if (!server->full)
		cs_log(CS_LOG_WARNING, "varlink: accept: %s", strerror(error));
	server->full = true;
	if (sd_event_source_set_enabled(server->accept, SD_EVENT_OFF) < 0)
		cs_log(CS_LOG_ERROR, "varlink: the listener cannot rest");
}

/* False when nobody more waits, or nobody more can be taken. */
static bool accept_one(struct cs_server *server)
{
	int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0) {
		accept_failed(server, errno);
		return false;
	}
	if (server->full)
		cs_log(CS_LOG_INFO, "varlink: connections are accepted again");
	server->full = false;
	struct cs_call *call = server->count < CS_CLIENTS_MAX ? calloc(1, sizeof *call) : NULL;
	if (call == NULL) {
		close(fd);
		return true;
	}
	call->server = server;
	call->fd = fd;
	call->idle_since = cs_monotonic();
	if (identify(server, call) != CS_OK ||
		clients_of(server, call->peer.uid) >= USER_CLIENTS_MAX ||
		sd_event_add_io(server->daemon->event, &call->io, fd, EPOLLIN, on_call_io, call) <
			0) {
		call_free(call);
		return true;
	}
	call->next = server->calls;
	server->calls = call;
	server->count++;
	return true;
}

/* Several at once: who comes behind many others would wait for a round of their work for each. */
static int on_accept(sd_event_source *source, int listener, uint32_t revents, void *userdata)
{
	int taken = 0;

	(void)source;
	(void)listener;
	(void)revents;
	while (taken < ACCEPT_MAX && accept_one(userdata))
		taken++;
	return 0;
}

static void sweep_one(struct cs_call *call, uint64_t now)
{
	struct cs_fault fault = {0};

	if (call->dead)
		return;
	if (call->stuck_since != 0 && now - call->stuck_since > STUCK_USEC) {
		bury(call);
	} else if (call->partial_since != 0 && now - call->partial_since > PARTIAL_USEC) {
		call->partial_since = 0;
		enum cs_err err = cs_fault_set(
			&fault, CS_E_TIMEOUT, "", "a message stayed incomplete for too long");
		cs_call_garbage(call, err, &fault);
	} else if (!call->open && call->out.len == 0 && now - call->idle_since > IDLE_USEC) {
		bury(call);
	}
}

static int on_sweep(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct cs_server *server = userdata;
	uint64_t now = cs_monotonic();

	(void)usec;
	for (struct cs_call *call = server->calls; call != NULL; call = call->next)
		sweep_one(call, now);
	if (server->full && sd_event_source_set_enabled(server->accept, SD_EVENT_ON) < 0)
		cs_log(CS_LOG_ERROR, "varlink: the listener does not wake up");
	if (sd_event_source_set_time_relative(source, SWEEP_USEC) < 0 ||
		sd_event_source_set_enabled(source, SD_EVENT_ONESHOT) < 0)
		cs_log(CS_LOG_ERROR, "varlink: the event loop takes no timer");
	return 0;
}

/* ---- calls that wait ---- */

enum cs_err cs_call_park(struct cs_call *call, enum cs_call_wait wait, const char *action,
	const char *approval, struct cs_fault *fault)
{
	int64_t waiting = 0;

	if (wait != CS_WAIT_CHANGES && wait != CS_WAIT_FINAL) {
		for (const struct cs_call *other = call->server->calls; other != NULL;
			other = other->next)
			if (other->open && other->wait != CS_WAIT_NOTHING &&
				other->wait != CS_WAIT_CHANGES && other->wait != CS_WAIT_FINAL)
				waiting++;
		if (waiting >= call->server->daemon->settings->queue)
			return cs_fault_set(fault, CS_E_BUSY, action,
				"%lld calls wait for a seal; this one goes on without an answer",
				(long long)waiting);
	}
	call->wait = wait;
	strcpy(call->action, action);
	strcpy(call->approval, approval ? approval : "");
	return CS_OK;
}

void cs_server_each_waiting(struct cs_server *server, const char *action,
	void (*resume)(struct cs_daemon *daemon, struct cs_call *call, enum cs_call_wait wait,
		const char *action, const char *approval, void *context),
	void *context)
{
	for (struct cs_call *call = server->calls; call != NULL; call = call->next) {
		char id[CS_ACTION_ID_TEXT], approval[CS_ADDRESS_TEXT];
		if (!call->open || call->dead || call->wait == CS_WAIT_NOTHING ||
			(action != NULL && strcmp(call->action, action) != 0))
			continue;
		strcpy(id, call->action);
		strcpy(approval, call->approval);
		resume(server->daemon, call, call->wait, id, approval, context);
		later(server);
	}
}

/* ---- life ---- */

enum cs_err cs_server_new(
	struct cs_daemon *daemon, int fd, struct cs_server **ret_server, struct cs_fault *fault)
{
	struct cs_server *server = calloc(1, sizeof *server);

	if (server == NULL) {
		close(fd);
		return CS_E_NOMEM;
	}
	server->daemon = daemon;
	server->fd = fd;
	/* One that the service manager passed may block. */
	if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0 ||
		sd_event_add_io(daemon->event, &server->accept, fd, EPOLLIN, on_accept, server) <
			0 ||
		sd_event_add_time_relative(
			daemon->event, &server->soon, CLOCK_MONOTONIC, 0, 1, on_soon, server) < 0 ||
		sd_event_source_set_enabled(server->soon, SD_EVENT_OFF) < 0 ||
		sd_event_add_time_relative(daemon->event, &server->sweep, CLOCK_MONOTONIC,
			SWEEP_USEC, 100000, on_sweep, server) < 0) {
		cs_server_free(server);
		return cs_fault_set(fault, CS_E_INTERNAL, "", "the event loop takes no sources");
	}
	*ret_server = server;
	return CS_OK;
}

void cs_server_free(struct cs_server *server)
{
	if (server == NULL)
		return;
	while (server->calls != NULL) {
		struct cs_call *call = server->calls;
		server->calls = call->next;
		flush(call);
		call_free(call);
	}
	sd_event_source_disable_unref(server->accept);
	sd_event_source_disable_unref(server->soon);
	sd_event_source_disable_unref(server->sweep);
	close(server->fd);
	free(server);
}
