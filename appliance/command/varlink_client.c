#include "varlink_client.h"

#include <countersign/limits.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct cs_varlink {
	int fd;
	struct cs_bytes unread; /* bytes received after the last message */
};

void cs_varlink_close(struct cs_varlink *link)
{
	if (link == NULL)
		return;
	if (link->fd >= 0)
		close(link->fd);
	cs_bytes_free(&link->unread);
	free(link);
}

void cs_varlink_cleanup(struct cs_varlink **link)
{
	cs_varlink_close(*link);
}

enum cs_err cs_varlink_connect(
	const char *path, struct cs_varlink **ret_link, struct cs_fault *fault)
{
	const struct timeval longest = {.tv_sec = CS_VARLINK_CALL_SECONDS};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct cs_varlink *link;

	if (strlen(path) >= sizeof address.sun_path)
		return cs_fault_set(fault, CS_E_USAGE, path,
			"a socket's path has at most %zu bytes", sizeof address.sun_path - 1);
	memcpy(address.sun_path, path, strlen(path) + 1);
	link = calloc(1, sizeof *link);
	if (link == NULL)
		return CS_E_NOMEM;
	link->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* For connecting too: a listener that never accepts would hold the caller for ever. */
	if (link->fd < 0 ||
		setsockopt(link->fd, SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof longest) != 0 ||
		connect(link->fd, (const struct sockaddr *)&address, sizeof address) != 0) {
		int saved = errno;
		cs_varlink_close(link);
		if (saved == EAGAIN)
			return cs_fault_set(
				fault, CS_E_TIMEOUT, path, "nobody takes the connection");
		return cs_fault_set(
			fault, CS_E_SERVICE, path, "cannot connect: %s", strerror(saved));
	}
	*ret_link = link;
	return CS_OK;
}

static enum cs_err send_all(int fd, const uint8_t *data, size_t len, struct cs_fault *fault)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return cs_fault_set(
				fault, CS_E_TIMEOUT, "", "the appliance does not take the call");
		if (n < 0)
			return cs_fault_set(
				fault, CS_E_SERVICE, "", "cannot send: %s", strerror(errno));
		data += n;
		len -= (size_t)n;
	}
	return CS_OK;
}

enum cs_err cs_varlink_send(struct cs_varlink *link, const char *method, json_t *parameters,
	bool more, struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	CS_CLEANUP_BYTES struct cs_bytes name = {0};
	CS_CLEANUP_JSON json_t *message = NULL;
	enum cs_err err;

	cs_bytes_addf(&name, "%s.%s", CS_APPLIANCE_INTERFACE, method);
	if (cs_bytes_check(&name) != CS_OK)
		return CS_E_NOMEM;
	message = json_pack(
		"{s:s, s:O}", "method", (const char *)name.data, "parameters", parameters);
	if (message == NULL || (more && json_object_set_new(message, "more", json_true()) != 0))
		return CS_E_NOMEM;
	err = cs_canonical_print(message, &text);
	if (err == CS_OK)
		err = cs_bytes_add(&text, "", 1);
	if (err != CS_OK)
		return cs_fault_set(fault, err, "", "cannot print the call");
	if (text.len > CS_MESSAGE_MAX)
		return cs_fault_set(fault, CS_E_TOO_LARGE, "", "the call has more than %d bytes",
			CS_MESSAGE_MAX);
	return send_all(link->fd, text.data, text.len, fault);
}

static int64_t now_milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Until link->unread holds a NUL; its place in *ret_len. */
static enum cs_err read_message(
	struct cs_varlink *link, int64_t deadline, size_t *ret_len, struct cs_fault *fault)
{
	uint8_t block[65536];
	size_t searched = 0;

	for (;;) {
		struct cs_bytes *b = &link->unread;
		const uint8_t *end =
			b->len > searched ? memchr(b->data + searched, 0, b->len - searched) : NULL;
		if (end != NULL) {
			*ret_len = (size_t)(end - b->data);
			return CS_OK;
		}
		searched = b->len;
		if (b->len > CS_MESSAGE_MAX)
			return cs_fault_set(fault, CS_E_SERVICE, "",
				"a reply of more than %d bytes", CS_MESSAGE_MAX);
		int64_t left = deadline - now_milliseconds();
		struct pollfd wait = {.fd = link->fd, .events = POLLIN};
		int ready = left <= 0 ? 0 : poll(&wait, 1, left > 60000 ? 60000 : (int)left);
		if (ready < 0 && errno != EINTR)
			return cs_fault_set(
				fault, CS_E_SERVICE, "", "cannot wait: %s", strerror(errno));
		if (ready == 0 && left <= 60000)
			return cs_fault_set(
				fault, CS_E_TIMEOUT, "", "the appliance did not answer in time");
		if (ready <= 0)
			continue;
		ssize_t n = read(link->fd, block, sizeof block);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cs_fault_set(
				fault, CS_E_SERVICE, "", "cannot read: %s", strerror(errno));
		if (n == 0)
			return cs_fault_set(
				fault, CS_E_SERVICE, "", "the appliance closed the connection");
		if (cs_bytes_add(b, block, (size_t)n) != CS_OK)
			return CS_E_NOMEM;
	}
}

/*
 * What an error reply means. `name` is the whole error name, such as
 * io.countersign.Appliance.NotFound.
 */
static enum cs_err refusal(const char *name, const json_t *parameters, struct cs_fault *fault)
{
	static const struct {
		const char *name;
		enum cs_err err;
	} standard[] = {
		{"org.varlink.service.MethodNotFound", CS_E_UNSUPPORTED},
		{"org.varlink.service.InterfaceNotFound", CS_E_UNSUPPORTED},
		{"org.varlink.service.MethodNotImplemented", CS_E_UNSUPPORTED},
		{"org.varlink.service.InvalidParameter", CS_E_DOCUMENT_INVALID},
		{"org.varlink.service.PermissionDenied", CS_E_PERMISSION},
	};
	const char *code = cs_json_text(parameters, "code");
	const char *path = cs_json_text(parameters, "path");
	const char *detail = cs_json_text(parameters, "detail");
	enum cs_err err = code != NULL ? cs_err_by_name(code) : CS_ERR_COUNT;

	for (size_t i = 0; i < sizeof standard / sizeof standard[0]; i++)
		if (err == CS_ERR_COUNT && strcmp(name, standard[i].name) == 0)
			err = standard[i].err;
	if (err == CS_ERR_COUNT || err == CS_OK)
		return cs_fault_set(fault, CS_E_STATE, path != NULL ? path : "", "%s%s%s%s%s", name,
			code != NULL ? " " : "", code != NULL ? code : "",
			detail != NULL ? ": " : "", detail != NULL ? detail : "");
	return cs_fault_set(
		fault, err, path != NULL ? path : "", "%s", detail != NULL ? detail : "");
}

enum cs_err cs_varlink_receive(struct cs_varlink *link, int64_t milliseconds,
	json_t **ret_parameters, bool *ret_continues, bool *ret_refused, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *message = NULL;
	struct cs_fault inner = {0};
	size_t len;
	enum cs_err err = read_message(link, now_milliseconds() + milliseconds, &len, fault);

	if (err != CS_OK)
		return err;
	err = cs_json_read(link->unread.data, len, CS_MESSAGE_MAX, &message, &inner);
	link->unread.len -= len + 1;
	memmove(link->unread.data, link->unread.data + len + 1, link->unread.len);
	if (err == CS_E_NOMEM)
		return err;
	if (err != CS_OK || !json_is_object(message))
		return cs_fault_set(fault, CS_E_SERVICE, "",
			"the reply is no Varlink message: %s %s", cs_err_name(err), inner.detail);
	json_t *parameters = json_object_get(message, "parameters");
	const char *name = cs_json_text(message, "error");
	if (json_object_get(message, "error") != NULL) {
		if (ret_refused != NULL)
			*ret_refused = true;
		return refusal(name != NULL ? name : "an error without a name", parameters, fault);
	}
	if (parameters != NULL && !json_is_object(parameters))
		return cs_fault_set(
			fault, CS_E_SERVICE, "/parameters", "the reply's parameters are no object");
	*ret_parameters = parameters != NULL ? json_incref(parameters) : json_object();
	if (*ret_parameters == NULL)
		return CS_E_NOMEM;
	if (ret_continues != NULL)
		*ret_continues = json_is_true(json_object_get(message, "continues"));
	return CS_OK;
}
