/*
 * What the process gives up after it has opened what it needs.
 */
#ifndef CS_SANDBOX_H
#define CS_SANDBOX_H

#include <countersign/error.h>

/* First thing in the program: not dumpable, no core files, no new privileges. CS_E_IO. */
CS_MUST_CHECK enum cs_err cs_sandbox_early(struct cs_fault *fault);
/*
 * Before the event loop: only the system calls that the loop, the store and a reload need; every
 * other one fails with EPERM (seccomp(2)). Sockets are Unix sockets, and no memory becomes
 * executable any more. CS_E_IO when the kernel has no seccomp.
 */
CS_MUST_CHECK enum cs_err cs_sandbox_late(struct cs_fault *fault);

#endif
