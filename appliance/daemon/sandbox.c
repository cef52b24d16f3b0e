#include "sandbox.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

enum cs_err cs_sandbox_early(struct cs_fault *fault)
{
	const struct rlimit none = {0, 0};

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0)
		return cs_fault_set(fault, CS_E_IO, "", "prctl: %s", strerror(errno));
	return CS_OK;
}

enum cs_err cs_sandbox_late(struct cs_fault *fault)
{
	(void)fault;
	return CS_OK;
}
