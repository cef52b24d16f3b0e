/*
 * countersign-signer: one process for one token. Signs only what its own rules bear out.
 */
#include "log.h"
#include "notify.h"
#include "serve.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Nobody reads a PIN out of this process: not dumpable is no core and no ptrace by its own user. */
static bool harden(void)
{
	umask(077);
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
	       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

static enum cs_err run(const char *settings, struct cs_fault *fault)
{
	struct cs_service service;
	struct cs_fault token = {0}, untold = {0};
	int listener = -1;
	enum cs_err err = cs_service_open(settings, &service, fault);

	if (err != CS_OK)
		return err;
	/*
	 * A token that is away now may come back: the signer serves, refuses to sign and says
	 * why.
	 */
	enum cs_err ready = cs_service_ready(&service, &token);
	if (ready != CS_OK)
		cs_log_fault(CS_LOG_ERROR, "token", ready, &token);
	err = cs_serve_listen(&service, &listener, fault);
	if (err == CS_OK)
		err = cs_notify("READY=1", fault);
	if (err == CS_OK) {
		cs_log(CS_LOG_INFO, "serving the log %s: %llu leaves", service.origin,
			(unsigned long long)cs_signer_frontier_tree(service.frontier)->size);
		err = cs_serve(&service, listener, fault);
	}
	if (err == CS_OK && cs_notify("STOPPING=1", &untold) != CS_OK)
		cs_log_fault(CS_LOG_WARNING, "the service manager", CS_E_IO, &untold);
	if (listener >= 0)
		close(listener);
	cs_service_close(&service);
	return err;
}

int main(int argc, char **argv)
{
	struct cs_fault fault = {0};
	const char *settings = "/etc/countersign/signer.conf";

	if (sodium_init() < 0 || !harden()) {
		fputs("countersign-signer: cannot harden the process\n", stderr);
		return 3;
	}
	if (argc == 3 && strcmp(argv[1], "--settings") == 0) {
		settings = argv[2];
	} else if (argc != 1) {
		fputs("usage: countersign-signer [--settings FILE]\n", stderr);
		return 2;
	}
	enum cs_err err = run(settings, &fault);
	if (err != CS_OK)
		cs_log_fault(CS_LOG_ERROR, "countersign-signer", err, &fault);
	return err == CS_OK ? 0 : 1;
}
