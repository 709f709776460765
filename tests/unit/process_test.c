/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "common/process.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* A signal that comes while the program is busy is there when it asks, and none is lost or made up. */
static void
test_events_wait(void **state)
{
	(void)state;
	process_event_block();
	assert_int_equal(process_event_wait(0), 0);
	assert_int_equal(process_event_wait(20), 0);
	assert_int_equal(kill(getpid(), SIGUSR1), 0);
	assert_int_equal(kill(getpid(), SIGHUP), 0);
	assert_int_equal(process_event_wait(-1), SIGHUP);
	assert_int_equal(process_event_wait(-1), SIGUSR1);
	assert_int_equal(process_event_wait(0), 0);
}

static void
test_child_is_an_event(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	process_event_block();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(7);
	assert_int_equal(process_event_wait(10000), SIGCHLD);
	assert_int_equal(waitpid(pid, &status, WNOHANG), pid);
	assert_int_equal(WEXITSTATUS(status), 7);
}

/* Long work looks whether it is to end, and whoever waits for the signal still gets it. */
static void
test_end_is_asked(void **state)
{
	(void)state;
	process_event_block();
	assert_int_equal(kill(getpid(), SIGHUP), 0);
	assert_false(process_end_is_asked());
	assert_int_equal(kill(getpid(), SIGTERM), 0);
	assert_true(process_end_is_asked());
	assert_true(process_end_is_asked());
	assert_int_equal(process_event_wait(0), SIGHUP);
	assert_int_equal(process_event_wait(0), SIGTERM);
	assert_false(process_end_is_asked());
	assert_int_equal(kill(getpid(), SIGINT), 0);
	assert_true(process_end_is_asked());
	assert_int_equal(process_stop_pending(), SIGINT);
	assert_int_equal(process_stop_pending(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events_wait),
		cmocka_unit_test(test_child_is_an_event),
		cmocka_unit_test(test_end_is_asked),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
