/*
 * The one place where programs ask what time it is; core/ takes the time as an argument.
 */
#ifndef CS_CLOCK_NOW_H
#define CS_CLOCK_NOW_H

#include "clock.h"

/* The system's clock (CLOCK_REALTIME); 0 before 1970, CS_TIME_MAX after what a cs_time holds. */
cs_time cs_now(void);

#endif
