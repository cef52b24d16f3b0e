#include "command.h"
#include "decide.h"

enum cs_err cs_command_reject(struct cs_call *call, struct cs_fault *fault)
{
	return cs_decide(call, "rejected", fault);
}
