/* The service manager's conventions: notifications and sockets that it passes on. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/notify.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* A datagram socket under `name`, where '@' stands for the NUL of an abstract one. */
static int manager(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = strlen(name);
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	memcpy(address.sun_path, name, len);
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
		0);
	return fd;
}

static void heard(const char *name)
{
	char text[64] = "";
	int fd = manager(name);

	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
	assert_int_equal(cs_notify("READY=1\nSTATUS=fine", NULL), CS_OK);
	assert_int_equal(recv(fd, text, sizeof text - 1, MSG_DONTWAIT), 19);
	assert_string_equal(text, "READY=1\nSTATUS=fine");
	close(fd);
}

static void the_manager_hears_it(void **state)
{
	char directory[] = "/tmp/notify.XXXXXX", path[64], name[64];

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/notify", directory);
	heard(path);
	unlink(path);
	rmdir(directory);
	snprintf(name, sizeof name, "@countersign-test-%d", (int)getpid());
	heard(name);
}

static void without_a_manager_nothing_happens(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(cs_notify("READY=1", NULL), CS_OK);
	setenv("NOTIFY_SOCKET", "", 1);
	assert_int_equal(cs_notify("READY=1", NULL), CS_OK);
}

static void wrong_names_are_refused(void **state)
{
	char too_long[200];

	(void)state;
	memset(too_long, 'a', sizeof too_long);
	too_long[0] = '/';
	too_long[sizeof too_long - 1] = '\0';
	const struct {
		const char *name;
		enum cs_err err;
	} cases[] = {
		{"relative", CS_E_CONFIG},
		{"@", CS_E_CONFIG},
		{"/", CS_E_CONFIG},
		{too_long, CS_E_CONFIG},
		{"/nonexistent/notify", CS_E_IO},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct cs_fault fault = {0};
		setenv("NOTIFY_SOCKET", cases[i].name, 1);
		assert_int_equal(cs_notify("READY=1", &fault), cases[i].err);
		assert_string_equal(fault.path, "NOTIFY_SOCKET");
	}
	unsetenv("NOTIFY_SOCKET");
}

/* What is passed as descriptor 3 */
enum passed { NOTHING, LISTENING, CONNECTED, DATAGRAM, PLAIN_FILE };

static int make(enum passed what)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int pair[2];

	switch (what) {
	case LISTENING:
		pair[0] = socket(AF_UNIX, SOCK_STREAM, 0);
		/* The kernel chooses an abstract name. */
		if (bind(pair[0], (struct sockaddr *)&address, sizeof address.sun_family) != 0 ||
			listen(pair[0], 1) != 0)
			return -1;
		return pair[0];
	case CONNECTED:
		return socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 ? pair[0] : -1;
	case DATAGRAM:
		return socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0 ? pair[0] : -1;
	case PLAIN_FILE:
		return open("/dev/null", O_RDONLY);
	case NOTHING:
		break;
	}
	return -1;
}

/* Runs in a process of its own, because the convention is about its pid and its descriptors. */
static enum cs_err listen_in_child(enum passed what, const char *count, bool own_pid)
{
	pid_t child = fork();

	if (child == 0) {
		char pid[24];
		int status = 0, fd = -1, made = make(what);
		if (made >= 0 && made != 3 && dup2(made, 3) != 3)
			_exit(100);
		snprintf(pid, sizeof pid, "%d", own_pid ? (int)getpid() : (int)getppid());
		setenv("LISTEN_PID", pid, 1);
		if (count != NULL)
			setenv("LISTEN_FDS", count, 1);
		enum cs_err err = cs_listen_fd(&fd, NULL);
		if (err == CS_OK && (fd != 3 || fcntl(3, F_GETFD) != FD_CLOEXEC))
			_exit(101);
		if (getenv("LISTEN_PID") != NULL || getenv("LISTEN_FDS") != NULL)
			_exit(102);
		/* It answers once. */
		if (cs_listen_fd(&fd, NULL) != CS_E_NOT_FOUND)
			_exit(103);
		status = (int)err;
		_exit(status);
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return (enum cs_err)WEXITSTATUS(status);
}

static void a_listening_socket_is_taken_over(void **state)
{
	(void)state;
	assert_int_equal(listen_in_child(LISTENING, "1", true), CS_OK);
}

static void what_was_not_passed_to_us_is_not_found(void **state)
{
	(void)state;
	assert_int_equal(listen_in_child(LISTENING, "1", false), CS_E_NOT_FOUND);
	assert_int_equal(listen_in_child(LISTENING, NULL, true), CS_E_NOT_FOUND);
	assert_int_equal(listen_in_child(LISTENING, "0", true), CS_E_NOT_FOUND);
	assert_int_equal(listen_in_child(LISTENING, "one", true), CS_E_NOT_FOUND);
	assert_int_equal(listen_in_child(LISTENING, "1x", true), CS_E_NOT_FOUND);
}

static void anything_else_is_a_wrong_setting(void **state)
{
	(void)state;
	assert_int_equal(listen_in_child(LISTENING, "2", true), CS_E_CONFIG);
	assert_int_equal(listen_in_child(CONNECTED, "1", true), CS_E_CONFIG);
	assert_int_equal(listen_in_child(DATAGRAM, "1", true), CS_E_CONFIG);
	assert_int_equal(listen_in_child(PLAIN_FILE, "1", true), CS_E_CONFIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_manager_hears_it),
		cmocka_unit_test(without_a_manager_nothing_happens),
		cmocka_unit_test(wrong_names_are_refused),
		cmocka_unit_test(a_listening_socket_is_taken_over),
		cmocka_unit_test(what_was_not_passed_to_us_is_not_found),
		cmocka_unit_test(anything_else_is_a_wrong_setting),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
