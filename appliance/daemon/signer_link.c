#include "signer_link.h"
#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_FIRST_USEC UINT64_C(100000)
#define PAUSE_LONGEST_USEC UINT64_C(5000000)

struct cs_link {
	sd_event *event;
	struct sockaddr_un address;
	uid_t uid;
	uint64_t deadline_usec;
	struct cs_link_hooks hooks;
	int fd; /* -1: not connected */
	sd_event_source *io;
	sd_event_source *timer; /* the deadline of a call, or the pause before connecting */
	uint64_t pause_usec;
	struct cs_bytes out; /* frame being sent */
	size_t sent;
	struct cs_bytes in;    /* answer so far, with its header */
	cs_link_answer answer; /* NULL: no call under way */
	void *answer_context;
};

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata);

static void set_timer(struct cs_link *link, uint64_t after_usec)
{
	int r = sd_event_source_set_time_relative(link->timer, after_usec);

	if (r >= 0)
		r = sd_event_source_set_enabled(link->timer, SD_EVENT_ONESHOT);
	if (r < 0)
		cs_log(CS_LOG_ERROR, "signer: timer: %s", strerror(-r));
}

static void stop_timer(struct cs_link *link)
{
	if (sd_event_source_set_enabled(link->timer, SD_EVENT_OFF) < 0)
		cs_log(CS_LOG_ERROR, "signer: timer cannot be stopped");
}

static void disconnect(struct cs_link *link)
{
	link->io = sd_event_source_disable_unref(link->io);
	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
	link->out.len = link->in.len = link->sent = 0;
	link->answer = NULL;
}

void cs_link_break(struct cs_link *link, enum cs_err err, const struct cs_fault *fault)
{
	disconnect(link);
	set_timer(link, link->pause_usec);
	link->pause_usec = link->pause_usec * 2 > PAUSE_LONGEST_USEC ? PAUSE_LONGEST_USEC
								     : link->pause_usec * 2;
	link->hooks.down(link->hooks.context, err, fault);
}

static void fail(struct cs_link *link, enum cs_err err, const char *what, const char *why)
{
	struct cs_fault fault = {0};

	cs_link_break(link, cs_fault_set(&fault, err, "", "%s: %s", what, why), &fault);
}

static enum cs_err check_peer(const struct cs_link *link, struct cs_fault *fault)
{
	struct ucred cred;
	socklen_t len = sizeof cred;

	if (getsockopt(link->fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
		return cs_fault_set(fault, CS_E_IO, "", "SO_PEERCRED: %s", strerror(errno));
	/* A socket that systemd made carries the credentials of who listened: root. */
	if (cred.uid != link->uid && cred.uid != 0)
		return cs_fault_set(fault, CS_E_PERMISSION, "",
			"the signer's socket belongs to uid %u", (unsigned)cred.uid);
	return CS_OK;
}

static void connect_now(struct cs_link *link)
{
	struct cs_fault fault = {0};

	link->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (link->fd < 0) {
		fail(link, CS_E_SIGNER_DOWN, "socket", strerror(errno));
		return;
	}
	if (connect(link->fd, (struct sockaddr *)&link->address, sizeof link->address) != 0) {
		fail(link, CS_E_SIGNER_DOWN, "the signer's socket", strerror(errno));
		return;
	}
	enum cs_err err = check_peer(link, &fault);
	if (err != CS_OK) {
		cs_link_break(link, err, &fault);
		return;
	}
	int r = sd_event_add_io(link->event, &link->io, link->fd, EPOLLIN, on_io, link);
	if (r < 0) {
		fail(link, CS_E_INTERNAL, "event loop", strerror(-r));
		return;
	}
	link->hooks.up(link->hooks.context);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct cs_link *link = userdata;

	(void)source;
	(void)usec;
	if (link->fd < 0)
		connect_now(link);
	else if (link->answer != NULL)
		fail(link, CS_E_SIGNER_DOWN, "the signer", "no answer before the deadline");
	return 0;
}

static void want(struct cs_link *link, uint32_t events)
{
	int r = sd_event_source_set_io_events(link->io, events);

	if (r < 0)
		cs_log(CS_LOG_ERROR, "signer: event loop: %s", strerror(-r));
}

static bool write_some(struct cs_link *link)
{
	while (link->sent < link->out.len) {
		ssize_t n = send(link->fd, link->out.data + link->sent, link->out.len - link->sent,
			MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			want(link, EPOLLIN | EPOLLOUT);
			return true;
		}
		if (n < 0) {
			fail(link, CS_E_SIGNER_DOWN, "sending to the signer", strerror(errno));
			return false;
		}
		link->sent += (size_t)n;
	}
	want(link, EPOLLIN);
	return true;
}

/* Hands over a complete answer. False when the connection is gone. */
static bool take_answer(struct cs_link *link)
{
	struct cs_fault fault = {0};
	CS_CLEANUP_JSON json_t *document = NULL;
	bool refused = false;
	size_t len = 0;

	if (link->in.len < CS_WIRE_HEADER)
		return true;
	enum cs_err err = cs_wire_length(link->in.data, &len, &fault);
	if (err == CS_OK && link->in.len - CS_WIRE_HEADER < len)
		return true;
	if (err == CS_OK && (link->answer == NULL || link->in.len - CS_WIRE_HEADER > len))
		err = cs_fault_set(&fault, CS_E_FRAME, "", "an answer that nobody asked for");
	if (err == CS_OK)
		err = cs_wire_answer_parse(
			link->in.data + CS_WIRE_HEADER, len, &document, &refused, &fault);
	bool malformed = err != CS_OK && !refused;
	cs_link_answer answer = link->answer;
	void *context = link->answer_context;
	stop_timer(link);
	link->answer = NULL;
	link->in.len = link->out.len = link->sent = 0;
	if (malformed) {
		cs_link_break(link, err, &fault);
		return false;
	}
	answer(context, err, document, &fault);
	return link->fd >= 0;
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct cs_link *link = userdata;
	uint8_t part[16384];

	(void)source;
	if ((revents & EPOLLOUT) && !write_some(link))
		return 0;
	if (!(revents & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return 0;
	ssize_t n = recv(fd, part, sizeof part, 0);
	if (n < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	if (n <= 0) {
		fail(link, CS_E_SIGNER_DOWN, "the signer",
			n == 0 ? "closed the connection" : strerror(errno));
		return 0;
	}
	if (link->answer == NULL) {
		fail(link, CS_E_FRAME, "the signer", "an answer that nobody asked for");
		return 0;
	}
	if (cs_bytes_add(&link->in, part, (size_t)n) != CS_OK) {
		fail(link, CS_E_NOMEM, "the signer's answer", "out of memory");
		return 0;
	}
	take_answer(link);
	return 0;
}

enum cs_err cs_link_new(sd_event *event, const char *path, uid_t uid, int64_t deadline_seconds,
	const struct cs_link_hooks *hooks, struct cs_link **ret_link)
{
	struct cs_link *link = calloc(1, sizeof *link);

	if (link == NULL)
		return CS_E_NOMEM;
	link->fd = -1;
	link->uid = uid;
	link->hooks = *hooks;
	link->pause_usec = PAUSE_FIRST_USEC;
	link->deadline_usec = (uint64_t)deadline_seconds * 1000000;
	link->address.sun_family = AF_UNIX;
	link->event = sd_event_ref(event);
	if (strlen(path) >= sizeof link->address.sun_path) {
		cs_link_free(link);
		return CS_E_CONFIG;
	}
	strcpy(link->address.sun_path, path);
	if (sd_event_add_time_relative(
		    event, &link->timer, CLOCK_MONOTONIC, 0, 1000, on_timer, link) < 0) {
		cs_link_free(link);
		return CS_E_INTERNAL;
	}
	*ret_link = link;
	return CS_OK;
}

void cs_link_free(struct cs_link *link)
{
	if (link == NULL)
		return;
	disconnect(link);
	sd_event_source_disable_unref(link->timer);
	sd_event_unref(link->event);
	cs_bytes_free(&link->out);
	cs_bytes_free(&link->in);
	free(link);
}

enum cs_err cs_link_call(
	struct cs_link *link, struct cs_bytes *frame, cs_link_answer answer, void *context)
{
	if (link->fd < 0 || link->answer != NULL)
		return CS_E_STATE;
	cs_bytes_free(&link->out);
	link->out = *frame;
	memset(frame, 0, sizeof *frame);
	link->sent = 0;
	link->answer = answer;
	link->answer_context = context;
	set_timer(link, link->deadline_usec);
	/* Sent from the event loop: a failure must not call back into who is calling here. */
	want(link, EPOLLIN | EPOLLOUT);
	return CS_OK;
}

bool cs_link_busy(const struct cs_link *link)
{
	return link->answer != NULL;
}

void cs_link_settled(struct cs_link *link)
{
	link->pause_usec = PAUSE_FIRST_USEC;
}
