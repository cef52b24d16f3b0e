/*
 * The subcommands of `countersign`, one file each. What each takes stands beside it as a table of
 * options.
 */
#ifndef CS_COMMAND_H
#define CS_COMMAND_H

#include "arguments.h"

#define CS_COMMAND_FILE_MAX \
	(64 * 1024 * 1024) /* files that are not one document: messages, lists of trust sets */

enum cs_err cs_command_canon(struct cs_call *call, struct cs_fault *fault);
enum cs_err cs_command_validate(struct cs_call *call, struct cs_fault *fault);
enum cs_err cs_command_verify_signature(struct cs_call *call, struct cs_fault *fault);
enum cs_err cs_command_verify(struct cs_call *call, struct cs_fault *fault);
enum cs_err cs_command_propose(struct cs_call *call, struct cs_fault *fault);
enum cs_err cs_command_wait(struct cs_call *call, struct cs_fault *fault);
enum cs_err cs_command_pending(struct cs_call *call, struct cs_fault *fault);
enum cs_err cs_command_show(struct cs_call *call, struct cs_fault *fault);
enum cs_err cs_command_pack(struct cs_call *call, struct cs_fault *fault);
enum cs_err cs_command_status(struct cs_call *call, struct cs_fault *fault);
enum cs_err cs_command_approve(struct cs_call *call, struct cs_fault *fault);
enum cs_err cs_command_reject(struct cs_call *call, struct cs_fault *fault);

#endif
