/*
 * The signer's socket: a few connections, the broker's user alone, one frame after the other.
 */
#ifndef CS_SIGNER_SERVE_H
#define CS_SIGNER_SERVE_H

#include "service.h"

#define CS_SIGNER_CONNECTIONS_MAX 8 /* the oldest is closed for a ninth */
#define CS_SIGNER_FRAME_SECONDS 5   /* a frame that has begun must end within this */
/* A frame or a reload that takes longer means a hung module: the process ends and is replaced. */
#define CS_SIGNER_TOKEN_SECONDS 30

/*
 * The listening socket: the one passed by the service manager, or `[signer] socket`, bound here
 * for anybody to connect to, because its directory and the peer's credentials decide who is served.
 * CS_E_IO, CS_E_CONFIG.
 */
CS_MUST_CHECK enum cs_err cs_serve_listen(
	const struct cs_service *service, int *ret_fd, struct cs_fault *fault);

/* Serves until SIGTERM or SIGINT; SIGHUP reloads trust sets and policies. */
CS_MUST_CHECK enum cs_err cs_serve(
	struct cs_service *service, int listener, struct cs_fault *fault);

#endif
