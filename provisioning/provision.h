/*
 * The subcommands of `countersign-provision`: what security officers do at a ceremony, one file
 * each.
 */
#ifndef CS_PROVISION_H
#define CS_PROVISION_H

#include "arguments.h"

enum cs_err cs_provision_token_init(struct cs_call *call, struct cs_fault *fault);
enum cs_err cs_provision_token_list(struct cs_call *call, struct cs_fault *fault);
enum cs_err cs_provision_key_generate(struct cs_call *call, struct cs_fault *fault);
enum cs_err cs_provision_key_list(struct cs_call *call, struct cs_fault *fault);
enum cs_err cs_provision_appliance_key(struct cs_call *call, struct cs_fault *fault);
enum cs_err cs_provision_enrol(struct cs_call *call, struct cs_fault *fault);
enum cs_err cs_provision_trust_draft(struct cs_call *call, struct cs_fault *fault);
enum cs_err cs_provision_policy_draft(struct cs_call *call, struct cs_fault *fault);
enum cs_err cs_provision_grant_draft(struct cs_call *call, struct cs_fault *fault);
enum cs_err cs_provision_sign(struct cs_call *call, struct cs_fault *fault);
enum cs_err cs_provision_trust_verify(struct cs_call *call, struct cs_fault *fault);
enum cs_err cs_provision_policy_verify(struct cs_call *call, struct cs_fault *fault);
enum cs_err cs_provision_publish(struct cs_call *call, struct cs_fault *fault);
enum cs_err cs_provision_address(struct cs_call *call, struct cs_fault *fault);

#endif
