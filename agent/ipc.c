/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster/file.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

void ipc_init(struct ipc *m, enum ipc_type type)
{
	memset(m, 0, sizeof *m);
	m->type = type;
}

enum cluster_err ipc_pair(int ret[2], struct diag *d)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret) != 0)
		return diag_errno(d, "socketpair");
	return CLUSTER_OK;
}

enum cluster_err ipc_send(int fd, const struct ipc *m, const int *fds, size_t n_fds, int wait)
{
	union {
		char space[CMSG_SPACE(sizeof(int) * IPC_FDS_MAX)];
		struct cmsghdr align;
	} control;
	struct iovec part = { .iov_base = (void *)(uintptr_t)m, .iov_len = sizeof *m };
	struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1 };
	struct cmsghdr *c;
	ssize_t n;

	if (n_fds > IPC_FDS_MAX)
		return CLUSTER_ELIMIT;
	memset(&control, 0, sizeof control);
	if (n_fds > 0) {
		msg.msg_control = control.space;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
	}
	do {
		n = sendmsg(fd, &msg, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT));
	} while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof *m)
		return n < 0 && errno != EPIPE && errno != ECONNRESET && errno != EAGAIN ? CLUSTER_ESYSTEM : CLUSTER_EUNAVAIL;
	return CLUSTER_OK;
}

/* Text comes from a process that may have been taken over: it ends where its field ends. */
static void terminate(struct ipc *m)
{
	switch ((enum ipc_type)m->type) {
	case IPC_LOG:
		m->log.text[IPC_TEXT_MAX] = '\0';
		break;
	case IPC_CONTACT:
		m->contact.url[IPC_URL_MAX - 1] = '\0';
		m->contact.text[IPC_TEXT_MAX] = '\0';
		break;
	case IPC_PUBLISHED:
		m->published.text[IPC_TEXT_MAX] = '\0';
		break;
	case IPC_STATUS:
		m->status.last_error[sizeof m->status.last_error - 1] = '\0';
		break;
	case IPC_REFUSAL:
		refusal_terminate(&m->refusal);
		break;
	case IPC_PUBLISH:
	case IPC_AGAIN:
	case IPC_LOCAL:
	case IPC_SESSION:
	case IPC_PROVED:
	case IPC_SESSIONS:
	case IPC_RENEW:
	case IPC_RENEWED:
	case IPC_RELAY:
	case IPC_HOP_ASK:
	case IPC_HOP_CALLER:
	case IPC_HOP_COUNTS:
	case IPC_TYPE_N:
		break;
	}
}

enum cluster_err ipc_receive(int fd, struct ipc *ret, int ret_fds[IPC_FDS_MAX], size_t *ret_n)
{
	union {
		char space[CMSG_SPACE(sizeof(int) * IPC_FDS_MAX)];
		struct cmsghdr align;
	} control;
	struct ipc m;
	struct iovec part = { .iov_base = &m, .iov_len = sizeof m };
	/* not CMSG_SPACE, whose padding has room for one descriptor more */
	struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = CMSG_LEN(sizeof(int) * IPC_FDS_MAX) };
	int fds[IPC_FDS_MAX];
	struct cmsghdr *c;
	size_t n_fds = 0;
	ssize_t n;

	do {
		n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? CLUSTER_ENOTFOUND : errno == ECONNRESET ? CLUSTER_EUNAVAIL : CLUSTER_ESYSTEM;
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || n_fds > 0)
			continue;
		n_fds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		n_fds = n_fds > IPC_FDS_MAX ? IPC_FDS_MAX : n_fds;
		memcpy(fds, CMSG_DATA(c), sizeof(int) * n_fds);
	}
	if (n != (ssize_t)sizeof m || msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		ipc_close_fds(fds, n_fds);
		return n == 0 ? CLUSTER_EUNAVAIL : CLUSTER_EFORMAT;
	}
	terminate(&m);
	*ret = m;
	memcpy(ret_fds, fds, sizeof(int) * n_fds);
	*ret_n = n_fds;
	return CLUSTER_OK;
}

void ipc_close_fds(int *fds, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		file_close(fds[i]);
		fds[i] = -1;
	}
}

void ipc_text(char *dst, size_t size, const char *src)
{
	size_t n = strnlen(src, size - 1);

	memcpy(dst, src, n);
	memset(dst + n, 0, size - n);
}

void ipc_log(int fd, int level, const char *fmt, ...)
{
	struct ipc m;
	va_list ap;

	ipc_init(&m, IPC_LOG);
	m.log.level = (uint32_t)level;
	va_start(ap, fmt);
	vsnprintf(m.log.text, sizeof m.log.text, fmt, ap);
	va_end(ap);
	if (ipc_send(fd, &m, NULL, 0, 1) != CLUSTER_OK)
		return; /* root is gone, and this process soon */
}

enum cluster_err ipc_seal(int fd, struct diag *d)
{
	return fcntl(fd, F_ADD_SEALS, SEALS) == 0 ? CLUSTER_OK : diag_errno(d, "memory cannot be sealed");
}

enum cluster_err ipc_memory(const char *name, const void *data, size_t n, int *ret, struct diag *d)
{
	enum cluster_err e;
	int fd;

	fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return diag_errno(d, "memfd_create");
	if (file_write_all(fd, data, n) != CLUSTER_OK || fcntl(fd, F_ADD_SEALS, SEALS) != 0) {
		e = diag_errno(d, "%s: %zu bytes of memory", name, n);
		file_close(fd);
		return e;
	}
	*ret = fd;
	return CLUSTER_OK;
}

enum cluster_err ipc_map(int fd, size_t max, const uint8_t **ret, size_t *ret_n, struct diag *d)
{
	struct stat st;
	void *p = NULL;
	int seals;

	seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || (seals & SEALS) != SEALS)
		return diag_set(d, CLUSTER_EUNTRUSTED, "memory that is not sealed");
	if (fstat(fd, &st) != 0)
		return diag_errno(d, "fstat");
	if (!S_ISREG(st.st_mode) || st.st_size < 0 || (uint64_t)st.st_size > max)
		return diag_set(d, CLUSTER_ELIMIT, "memory of %lld bytes, allowed are %zu", (long long)st.st_size, max);
	if (st.st_size > 0) {
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (p == MAP_FAILED)
			return diag_errno(d, "mmap of %lld bytes", (long long)st.st_size);
	}
	*ret = p;
	*ret_n = (size_t)st.st_size;
	return CLUSTER_OK;
}

void ipc_unmap(const uint8_t *p, size_t n)
{
	if (p)
		munmap((void *)(uintptr_t)p, n);
}
