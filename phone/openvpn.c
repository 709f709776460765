/* SPDX-License-Identifier: ISC */
#include "phone/openvpn.h"

#include "common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

/* openvpn's path: PATH, and the folders that a user's PATH lacks. NULL when it is nowhere. */
static char *
find_openvpn(void)
{
	const char *path = getenv("PATH");
	char *all = text_format("%s:/usr/local/sbin:/usr/sbin:/sbin", path != NULL ? path : ""), *found = NULL;

	for (const char *at = all; at != NULL && *at != '\0' && found == NULL;) {
		size_t len = strcspn(at, ":");

		/* An empty or relative entry means the current folder, from which nothing is run. */
		if (*at == '/')
			found = text_format("%.*s/openvpn", (int)len, at);
		if (found != NULL && access(found, X_OK) != 0) {
			free(found);
			found = NULL;
		}
		at += len + (at[len] == ':');
	}
	free(all);
	return found;
}

/* The configuration as a file without a name: a key has no business on the disk twice. */
static int
config_fd(const struct buf *config, struct err *e)
{
	int fd = memfd_create("openvpn-configuration", MFD_CLOEXEC);
	size_t done = 0;

	if (fd < 0)
		return err_errno(e, ERR_FAILED, errno, "openvpn's configuration");
	while (done < config->len) {
		ssize_t n = write(fd, config->data + done, config->len - done);

		if (n < 0) {
			err_errno(e, ERR_FAILED, errno, "openvpn's configuration");
			(void)close(fd);
			return -1;
		}
		done += (size_t)n;
	}
	(void)lseek(fd, 0, SEEK_SET);
	return fd;
}

/* What is behind the configuration wins over it. */
__attribute__((noreturn)) static void
run_openvpn(const char *program, const char *dir, int config, bool mortal)
{
	/* clang-format off */
	const char *const argv[] = {
		"openvpn",
		"--cd", dir,
		"--log", OPENVPN_LOG,
		"--config", "stdin",
		"--management", OPENVPN_SOCKET, "unix",
		"--management-hold", /* so that no state is missed */
		"--script-security", "0",
		"--writepid", OPENVPN_PID,
		NULL,
	};
	/* clang-format on */
	int null = open("/dev/null", O_RDWR);
	sigset_t none;

	(void)setsid();
	if (mortal)
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGXFSZ, SIG_DFL);
	/* dup2() to itself, where standard input was closed, would leave the flag. */
	(void)fcntl(config, F_SETFD, 0);
	if (null >= 0 && dup2(config, STDIN_FILENO) >= 0 && dup2(null, STDOUT_FILENO) >= 0 &&
	    dup2(null, STDERR_FILENO) >= 0 && close_range(3, ~0U, 0) == 0)
		(void)execv(program, (char *const *)(uintptr_t)argv);
	_exit(127);
}

pid_t
openvpn_start(const char *dir, const struct buf *config, bool mortal, struct err *e)
{
	char *program = find_openvpn();
	pid_t pid = -1;
	int fd;

	if (program == NULL) {
		err_set(e, ERR_FAILED,
		    "openvpn: expected the program in PATH or /usr/sbin, found none; "
		    "apt-get install openvpn");
		return -1;
	}
	fd = config_fd(config, e);
	if (fd >= 0) {
		pid = fork();
		if (pid == 0)
			run_openvpn(program, dir, fd, mortal);
		if (pid < 0)
			err_errno(e, ERR_FAILED, errno, "openvpn: fork");
		(void)close(fd);
	}
	free(program);
	return pid;
}
