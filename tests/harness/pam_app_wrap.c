/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of libraries that this program defines itself, so that the module finds these. */
#undef _FORTIFY_SOURCE /* the functions that it makes inline are defined here */
#include "pam_app_wrap.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <syslog.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "cluster/attr.h"

#include "pam_app.h"

struct app *wrap_app;
char *wrap_reply;
size_t wrap_reply_size;
bool (*wrap_pause_hook)(bool);
bool (*wrap_fault_hook)(void);

static uint32_t audit_id;
static pid_t audit_also;

bool wrap_pause(bool pause)
{
	return wrap_pause_hook ? wrap_pause_hook(pause) : pause;
}

bool wrap_fault(void)
{
	return wrap_fault_hook && wrap_fault_hook();
}

void app_audit(uint32_t id)
{
	audit_id = id;
	audit_also = 0;
}

void app_audit_also(pid_t pid)
{
	audit_also = pid;
}

/* Is this directory in /proc one of the processes whose audit session id is made up? */
static bool audit_ours(int dir)
{
	char link[64], path[64] = "";

	snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
	if (readlink(link, path, sizeof path - 1) < 0 || strncmp(path, "/proc/", 6) != 0)
		return false;
	return atoi(path + 6) == getpid() || (audit_also && atoi(path + 6) == audit_also);
}

CLUSTER_EXPORT int getpwnam_r(const char *name, struct passwd *pw, char *buffer, size_t size, struct passwd **ret)
{
	*ret = NULL;
	if (!wrap_app || size < 1)
		return 0;
	if (wrap_fault())
		return EMFILE;
	for (size_t i = 0; i < wrap_app->n_nss; i++) {
		if (strcmp(wrap_app->nss[i].name, name) != 0)
			continue;
		if (wrap_app->nss[i].err)
			return wrap_app->nss[i].err;
		memset(pw, 0, sizeof *pw);
		buffer[0] = '\0';
		pw->pw_name = pw->pw_passwd = pw->pw_gecos = pw->pw_dir = pw->pw_shell = buffer;
		pw->pw_uid = pw->pw_gid = wrap_app->nss[i].uid;
		*ret = pw;
		return 0;
	}
	return 0;
}

static void keep_log(const char *fmt, va_list ap) CLUSTER_PRINTF(1, 0);

static void keep_log(const char *fmt, va_list ap)
{
	char line[4096];
	size_t n;

	if (!wrap_app)
		return;
	vsnprintf(line, sizeof line, fmt, ap);
	if (strncmp(line, "pam_cluster(", 12) != 0) /* libpam speaks too */
		return;
	n = strlen(wrap_app->log);
	snprintf(wrap_app->log + n, sizeof wrap_app->log - n, "%s\n", line);
}

CLUSTER_EXPORT void syslog(int priority, const char *fmt, ...) CLUSTER_PRINTF(2, 3);
CLUSTER_EXPORT void __syslog_chk(int priority, int flag, const char *fmt, ...) CLUSTER_PRINTF(3, 4);

CLUSTER_EXPORT void syslog(int priority, const char *fmt, ...)
{
	va_list ap;

	(void)priority;
	va_start(ap, fmt);
	keep_log(fmt, ap);
	va_end(ap);
}

CLUSTER_EXPORT void __syslog_chk(int priority, int flag, const char *fmt, ...)
{
	va_list ap;

	(void)priority;
	(void)flag;
	va_start(ap, fmt);
	keep_log(fmt, ap);
	va_end(ap);
}

CLUSTER_EXPORT int EVP_DigestVerify(EVP_MD_CTX *ctx, const unsigned char *sig, size_t sig_n, const unsigned char *data, size_t n)
{
	static int (*real)(EVP_MD_CTX *, const unsigned char *, size_t, const unsigned char *, size_t);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "EVP_DigestVerify");
	if (wrap_app)
		wrap_app->verified++;
	if (wrap_fault())
		return -1;
	return real(ctx, sig, sig_n, data, n);
}

/* The audit session id is the kernel's to give and cannot be had in every container. */
CLUSTER_EXPORT int openat(int dir, const char *path, int flags, ...)
{
	static int (*real)(int, const char *, int, ...);
	mode_t mode = 0;
	va_list ap;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "openat");
	if (wrap_fault()) {
		errno = EMFILE;
		return -1;
	}
	if (wrap_app && strcmp(path, "sessionid") == 0 && audit_ours(dir)) {
		int fd = memfd_create("sessionid", MFD_CLOEXEC);
		void (*hook)(struct app *) = wrap_app->before_record;

		wrap_app->before_record = NULL;
		if (hook)
			hook(wrap_app);
		if (fd >= 0 && (dprintf(fd, "%u", audit_id) < 1 || lseek(fd, 0, SEEK_SET) != 0)) {
			close(fd);
			errno = EIO;
			return -1;
		}
		return fd;
	}
	if (flags & (O_CREAT | O_TMPFILE)) {
		va_start(ap, flags);
		mode = (mode_t)va_arg(ap, int);
		va_end(ap);
	}
	return real(dir, path, flags, mode);
}
