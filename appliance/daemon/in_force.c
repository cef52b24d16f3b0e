#include "in_force.h"
#include "actions.h"
#include "log.h"
#include "moment.h"

#include <string.h>
#include <time.h>

#define TIMER_ACCURACY_USEC 1000

static void log_upcoming(const char *kind, const struct cs_upcoming *next)
{
	char at[CS_TIME_TEXT];

	if (next->at != CS_TIME_MAX)
		cs_log(CS_LOG_INFO, "%s %lld comes into force at %s", kind,
			(long long)next->version, cs_time_print(next->at, at));
}

static void log_change(const char *kind, int64_t before, int64_t after, const char *address)
{
	if (before != after)
		cs_log(CS_LOG_INFO, "%s %lld is in force: %s", kind, (long long)after, address);
}

/* The timer follows the clock that versions are judged by, also when that is set. */
static void load_at(struct cs_daemon *d, cs_time at)
{
	int r = 0;

	if (at != CS_TIME_MAX)
		r = sd_event_source_set_time(d->versions, (uint64_t)at * 1000);
	if (r >= 0)
		r = sd_event_source_set_enabled(
			d->versions, at != CS_TIME_MAX ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
	if (r < 0)
		cs_log(CS_LOG_ERROR, "the timer of versions: %s", strerror(-r));
}

static void expect(struct cs_daemon *d)
{
	log_upcoming("trust set", &d->book->next_trust_set);
	log_upcoming("policy", &d->book->next_policy);
	load_at(d, cs_rulebook_next(d->book));
}

static enum cs_err load(struct cs_daemon *d, struct cs_rulebook **ret_book, struct cs_fault *fault)
{
	return cs_rulebook_load(d->settings, d->store, cs_now(), ret_book, fault);
}

static enum cs_err take(struct cs_daemon *d, struct cs_rulebook *book)
{
	int64_t trust_set = cs_trust_version(d->book->trust),
		policy = cs_policy_version(d->book->policy);
	enum cs_err err = cs_store_refusals_forget(d->store);

	if (err != CS_OK) {
		cs_rulebook_free(book);
		return err;
	}
	cs_rulebook_free(d->book);
	d->book = book;
	log_change("trust set", trust_set, cs_trust_version(book->trust), book->trust_set);
	log_change("policy", policy, cs_policy_version(book->policy), book->policy_address);
	expect(d);
	cs_sealer_reloaded(d->sealer);
	cs_actions_invalidate(d);
	return CS_OK;
}

static int on_version(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct cs_daemon *d = userdata;
	struct cs_rulebook *book = NULL;
	struct cs_fault fault = {0};
	enum cs_err err = load(d, &book, &fault);

	(void)source;
	(void)usec;
	if (err == CS_OK)
		err = take(d, book);
	if (err != CS_OK) {
		cs_log_fault(CS_LOG_ERROR,
			"a version that comes into force is refused, the old ones stay", err,
			&fault);
		load_at(d, cs_time_add_seconds(cs_now(), CS_VERSIONS_RETRY_SECONDS));
	}
	return 0;
}

enum cs_err cs_in_force_start(struct cs_daemon *daemon, struct cs_fault *fault)
{
	enum cs_err err = load(daemon, &daemon->book, fault);

	if (err != CS_OK)
		return err;
	if (sd_event_add_time(daemon->event, &daemon->versions, CLOCK_REALTIME, UINT64_MAX,
		    TIMER_ACCURACY_USEC, on_version, daemon) < 0)
		return cs_fault_set(
			fault, CS_E_INTERNAL, "", "the timer of versions cannot be set up");
	expect(daemon);
	return CS_OK;
}

void cs_in_force_stop(struct cs_daemon *daemon)
{
	daemon->versions = sd_event_source_disable_unref(daemon->versions);
}

void cs_in_force_reload(struct cs_daemon *daemon)
{
	struct cs_rulebook *book = NULL;
	struct cs_fault fault = {0};
	enum cs_err err = load(daemon, &book, &fault);

	if (err == CS_OK)
		err = take(daemon, book);
	if (err != CS_OK)
		cs_log_fault(
			CS_LOG_ERROR, "reload refused, the versions in force stay", err, &fault);
	else
		cs_log(CS_LOG_INFO, "reloaded: trust set %s, policy %s", daemon->book->trust_set,
			daemon->book->policy_address);
}

bool cs_in_force_outdated(struct cs_daemon *daemon)
{
	struct cs_rulebook *book = NULL;
	struct cs_fault fault = {0};
	enum cs_err err = load(daemon, &book, &fault);

	/* Taking the same again would cost a certificate at every refusal. */
	if (err == CS_OK && cs_rulebook_same(book, daemon->book)) {
		cs_rulebook_free(book);
		return false;
	}
	if (err == CS_OK)
		err = take(daemon, book);
	if (err != CS_OK)
		cs_log_fault(CS_LOG_ERROR, "the signer has other versions; loading them is refused",
			err, &fault);
	return err == CS_OK;
}
