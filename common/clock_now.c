#include "clock_now.h"

#include <time.h>

cs_time cs_now(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_REALTIME, &ts) != 0 || ts.tv_sec < 0)
		return 0;
	if (ts.tv_sec >= CS_TIME_MAX / 1000)
		return CS_TIME_MAX;
	return (cs_time)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
