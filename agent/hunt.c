/* SPDX-License-Identifier: Apache-2.0 */
#include "hunt.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cluster/file.h"
#include "cluster/num.h"

#define FEW_BYTES 96   /* two or three entries of /proc at a time: what was read long ago is not there any more */
#define ENTRY_NAME 19  /* where the name stands in struct linux_dirent64 (getdents64(2)) */
#define ENTRY_LENGTH 16
#define PASSES_MAX 100
#define PASS_MAX 100000 /* processes in one pass: somebody may run ahead for ever */

/* Held first and looked at then: a number that changes hands in between leaves a descriptor of nobody. */
static bool kill_prey(pid_t pid, bool (*prey)(const struct process *p, void *arg), void *arg)
{
	struct process p = { .pid = pid };
	bool killed = false;
	int fd;

	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		return false;
	if (session_facts_read(pid, &p.facts) == CLUSTER_OK && !p.facts.ended && prey(&p, arg))
		killed = syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0;
	file_close(fd);
	return killed;
}

size_t hunt_pass(bool (*prey)(const struct process *p, void *arg), void *arg)
{
	_Alignas(8) char buffer[FEW_BYTES + 1];
	size_t killed = 0, looked = 0;
	uint16_t length;
	uint32_t pid;
	long n, at;
	int dir;

	dir = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return 0;
	while (looked < PASS_MAX && (n = syscall(SYS_getdents64, dir, buffer, FEW_BYTES)) > 0) {
		buffer[n] = '\0';
		for (at = 0; at + ENTRY_NAME < n; at += length) {
			memcpy(&length, buffer + at + ENTRY_LENGTH, sizeof length);
			if (length <= ENTRY_NAME)
				break;
			if (num_u32(buffer + at + ENTRY_NAME, 1, INT_MAX, &pid) == CLUSTER_OK) {
				killed += kill_prey((pid_t)pid, prey, arg);
				looked++;
			}
		}
	}
	file_close(dir);
	return killed;
}

void hunt(bool (*prey)(const struct process *p, void *arg), void *arg)
{
	unsigned int i, quiet = 0;

	for (i = 0; i < PASSES_MAX && quiet < 2; i++)
		quiet = hunt_pass(prey, arg) == 0 ? quiet + 1 : 0;
}
