#include "serve.h"
#include "clock_now.h"
#include "log.h"
#include "notify.h"
#include "operations.h"
#include "rule.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static volatile sig_atomic_t stop_asked, reload_asked;

static void on_stop(int number)
{
	(void)number;
	stop_asked = 1;
}

static void on_reload(int number)
{
	(void)number;
	reload_asked = 1;
}

/* ---- listening ---- */

static enum cs_err bind_path(const char *path, int *ret_fd, struct cs_fault *fault)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof address.sun_path)
		return cs_fault_set(fault, CS_E_CONFIG, "[signer] socket",
			"'%s' is longer than %zu bytes", path, sizeof address.sun_path - 1);
	strcpy(address.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return cs_fault_set(
			fault, CS_E_IO, path, "cannot make a socket: %s", strerror(errno));
	unlink(path);
	/* The directory decides who reaches the socket, peer credentials who is served. */
	mode_t mask = umask(0);
	int bound = bind(fd, (const struct sockaddr *)&address, sizeof address);
	int saved = errno;
	umask(mask);
	if (bound != 0 || listen(fd, CS_SIGNER_CONNECTIONS_MAX) != 0) {
		saved = bound != 0 ? saved : errno;
		close(fd);
		return cs_fault_set(fault, CS_E_IO, path, "cannot listen: %s", strerror(saved));
	}
	*ret_fd = fd;
	return CS_OK;
}

enum cs_err cs_serve_listen(const struct cs_service *service, int *ret_fd, struct cs_fault *fault)
{
	const char *path;
	enum cs_err err = cs_listen_fd(ret_fd, fault);

	if (err != CS_E_NOT_FOUND)
		return err;
	err = cs_settings_need(service->settings, "signer", "socket", &path, fault);
	return err != CS_OK ? err : bind_path(path, ret_fd, fault);
}

/* ---- connections ---- */

struct connections {
	size_t count;
	int fd[CS_SIGNER_CONNECTIONS_MAX]; /* oldest first */
};

static void drop(struct connections *all, size_t i)
{
	close(all->fd[i]);
	memmove(&all->fd[i], &all->fd[i + 1], (all->count - i - 1) * sizeof all->fd[0]);
	all->count--;
}

static bool is_broker(const struct cs_service *service, int fd)
{
	struct ucred peer;
	socklen_t len = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 || len != sizeof peer)
		return false;
	if (peer.uid == service->broker)
		return true;
	cs_log(CS_LOG_WARNING, "refused a connection from uid %u: only uid %u is served",
		(unsigned)peer.uid, (unsigned)service->broker);
	return false;
}

static void accept_one(const struct cs_service *service, struct connections *all, int listener)
{
	const struct timeval patience = {.tv_sec = CS_SIGNER_FRAME_SECONDS};
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if ((cs_rule_on(CS_RULE_PEER) && !is_broker(service, fd)) ||
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 ||
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0) {
		close(fd);
		return;
	}
	if (all->count == CS_SIGNER_CONNECTIONS_MAX)
		drop(all, 0);
	all->fd[all->count++] = fd;
}

/*
 * SIGALRM ends the process: a vendor module that hangs takes nobody else with it, and a new signer
 * heals the log.
 */
static void limit_module(void)
{
	alarm(CS_SIGNER_TOKEN_SECONDS);
}

static void end_limit(void)
{
	alarm(0);
}

/* One frame in, one answer out. False ends the connection. */
static bool serve_one(struct cs_service *service, int fd)
{
	CS_CLEANUP_BYTES struct cs_bytes payload = {0}, answer = {0};
	struct cs_fault fault = {0};
	bool end = false;
	enum cs_err err = cs_wire_receive(fd, &payload, &fault);

	if (err == CS_E_NOT_FOUND)
		return false;
	if (err == CS_OK) {
		limit_module();
		err = cs_operations_answer(service, &payload, &answer, &end);
		end_limit();
	} else {
		end = true;
		cs_log_fault(CS_LOG_WARNING, "frame", err, &fault);
		err = err == CS_E_FRAME ? cs_wire_refused(err, &fault, &answer) : err;
	}
	if (err == CS_OK)
		err = cs_wire_send(fd, &answer, &fault);
	return err == CS_OK && !end;
}

static void serve_ready(struct cs_service *service, struct connections *all,
	const struct pollfd *polled, size_t count)
{
	/* From the last to the first: dropping one moves only those already served. */
	for (size_t i = count; i-- > 0;)
		if (polled[i].revents != 0 && !serve_one(service, all->fd[i]))
			drop(all, i);
}

/* ---- the loop ---- */

static void reload(struct cs_service *service)
{
	struct cs_fault fault = {0};
	enum cs_err err = cs_service_reload(service, &fault);

	reload_asked = 0;
	if (err != CS_OK)
		cs_log_fault(CS_LOG_ERROR, "reload refused, the old versions stay in force", err,
			&fault);
	else
		cs_log(CS_LOG_INFO, "trust set %s and policy %s are in force",
			cs_trust_address(service->trust), cs_policy_address(service->policy));
}

/*
 * How long the loop may sleep: until the next version comes into force, and a minute at most,
 * because the clock that counts may be set meanwhile. NULL is for ever.
 */
static const struct timespec *patience(const struct cs_service *service, struct timespec *limit)
{
	cs_time left = service->load_at - cs_now();

	if (service->load_at == CS_TIME_MAX)
		return NULL;
	left = left < 0 ? 0 : left > 60000 ? 60000 : left;
	*limit = (struct timespec){.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000};
	return limit;
}

static void block(int how, sigset_t *before)
{
	sigset_t ours;

	sigemptyset(&ours);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGHUP);
	sigprocmask(how, &ours, before);
}

static void handle(int number, void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler};

	sigaction(number, &action, NULL);
}

enum cs_err cs_serve(struct cs_service *service, int listener, struct cs_fault *fault)
{
	struct connections all = {0};
	struct pollfd polled[CS_SIGNER_CONNECTIONS_MAX + 1];
	struct timespec limit;
	enum cs_err err = CS_OK;
	sigset_t before;

	handle(SIGTERM, on_stop);
	handle(SIGINT, on_stop);
	handle(SIGHUP, on_reload);
	handle(SIGPIPE, SIG_IGN);
	/* Signals arrive in ppoll alone: no frame is cut short by one. */
	block(SIG_BLOCK, &before);
	while (!stop_asked) {
		/* New versions close the token, and that reaches into the module too. */
		limit_module();
		if (reload_asked)
			reload(service);
		cs_service_advance(service, cs_now());
		end_limit();
		for (size_t i = 0; i < all.count; i++)
			polled[i] = (struct pollfd){.fd = all.fd[i], .events = POLLIN};
		polled[all.count] = (struct pollfd){.fd = listener, .events = POLLIN};
		size_t count = all.count;
		if (ppoll(polled, count + 1, patience(service, &limit), &before) < 0) {
			if (errno == EINTR)
				continue;
			err = cs_fault_set(fault, CS_E_IO, "", "ppoll: %s", strerror(errno));
			break;
		}
		serve_ready(service, &all, polled, count);
		if (polled[count].revents & POLLIN)
			accept_one(service, &all, listener);
	}
	while (all.count > 0)
		drop(&all, 0);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return err;
}
