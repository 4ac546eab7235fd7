/* SPDX-License-Identifier: Apache-2.0 */
/*
 * THREATS.md A1: every allocation and every call that can fail, failed once, and failed from some moment on, in each stage of each kind of login. Whoever is to be refused is
 * refused at every point; nobody is let pass as "not ours" who is not positively a local account; no descriptor stays open; the reply is wiped before it is freed (A9).
 */
#undef _FORTIFY_SOURCE /* the functions that it makes inline are defined here */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "pam_app.h"
#include "pam_app_wrap.h"

#include "cluster/onetime.h"
#include "unit.h"

#include "cluster/attr.h"

/* ---- failing on demand ---- */

static struct {
	bool armed, from_then_on, memory_only;
	unsigned long count, target;
	bool wiped;
} fault;

static bool tick(void)
{
	if (!fault.armed || fault.memory_only)
		return false;
	fault.count++;
	return fault.count == fault.target || (fault.from_then_on && fault.count > fault.target);
}

static bool tick_memory(void)
{
	if (!fault.armed || !fault.memory_only)
		return false;
	fault.count++;
	return fault.count == fault.target || (fault.from_then_on && fault.count > fault.target);
}

static bool pause_faults(bool pause)
{
	bool was = !fault.armed;

	fault.armed = !pause;
	return was;
}

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void __libc_free(void *);

CLUSTER_EXPORT void *malloc(size_t n)
{
	if (tick_memory()) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_malloc(n);
}

CLUSTER_EXPORT void *calloc(size_t n, size_t size)
{
	if (tick_memory()) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_calloc(n, size);
}

CLUSTER_EXPORT void *realloc(void *p, size_t n)
{
	if (tick_memory()) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_realloc(p, n);
}

CLUSTER_EXPORT void free(void *p)
{
	if (p && p == wrap_reply) {
		fault.wiped = true;
		for (size_t i = 0; i < wrap_reply_size; i++)
			fault.wiped = fault.wiped && wrap_reply[i] == '\0';
		wrap_reply = NULL;
	}
	__libc_free(p);
}

/* A libc function that fails with `error` and `value`. */
#define WRAP(type, name, params, args, value, error) \
	CLUSTER_EXPORT type name params; \
	static type (*real_##name) params; \
	CLUSTER_EXPORT type name params \
	{ \
		if (!real_##name) \
			*(void **)&real_##name = dlsym(RTLD_NEXT, #name); \
		if (tick()) { \
			errno = error; \
			return value; \
		} \
		return real_##name args; \
	}

WRAP(int, fstat, (int fd, struct stat *st), (fd, st), -1, EIO)
WRAP(int, lstat, (const char *p, struct stat *st), (p, st), -1, EIO)
WRAP(int, stat, (const char *p, struct stat *st), (p, st), -1, EIO)
WRAP(ssize_t, read, (int fd, void *p, size_t n), (fd, p, n), -1, EIO)
WRAP(ssize_t, __read_chk, (int fd, void *p, size_t n, size_t room), (fd, p, n, room), -1, EIO)
WRAP(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n), -1, ENOSPC)
WRAP(void *, mmap, (void *p, size_t n, int prot, int flags, int fd, off_t at), (p, n, prot, flags, fd, at), MAP_FAILED, ENOMEM)
WRAP(ssize_t, getrandom, (void *p, size_t n, unsigned flags), (p, n, flags), -1, EAGAIN)
WRAP(int, clock_gettime, (clockid_t c, struct timespec *t), (c, t), -1, EINVAL)
WRAP(DIR *, opendir, (const char *p), (p), NULL, EMFILE)
WRAP(DIR *, fdopendir, (int fd), (fd), NULL, ENOMEM)
WRAP(struct dirent *, readdir, (DIR *d), (d), NULL, EIO)
WRAP(int, rename, (const char *from, const char *to), (from, to), -1, EROFS)
WRAP(int, renameat, (int a, const char *from, int b, const char *to), (a, from, b, to), -1, EROFS)
WRAP(int, fsync, (int fd), (fd), -1, EIO)
WRAP(int, mkdir, (const char *p, mode_t m), (p, m), -1, ENOSPC)
WRAP(int, unlink, (const char *p), (p), -1, EROFS)
WRAP(int, socket, (int d, int t, int p), (d, t, p), -1, EMFILE)
WRAP(int, RAND_bytes, (unsigned char *p, int n), (p, n), 0, EIO)
WRAP(int, pam_putenv, (pam_handle_t *h, const char *word), (h, word), PAM_BUF_ERR, ENOMEM)
WRAP(const char *, pam_getenv, (pam_handle_t *h, const char *name), (h, name), NULL, ENOMEM)

CLUSTER_EXPORT int open(const char *path, int flags, ...)
{
	static int (*real)(const char *, int, ...);
	mode_t mode = 0;
	va_list ap;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "open");
	if (tick()) {
		errno = EMFILE;
		return -1;
	}
	if (flags & O_CREAT) {
		va_start(ap, flags);
		mode = (mode_t)va_arg(ap, int);
		va_end(ap);
	}
	return real(path, flags, mode);
}

/* Who started the program: su and pkexec run with the limits of whoever did. */
static bool by_user;

CLUSTER_EXPORT uid_t getuid(void)
{
	return by_user ? 1000 : geteuid();
}

/* ---- one stage with failures ---- */

enum stage { AUTH, ACCOUNT, OPEN, CLOSE };
static const char *const stage_names[] = { "auth", "account", "open_session", "close_session" };

static int run_stage(struct app *a, enum stage stage, const char *service, const char *user, const char *handover)
{
	pam_handle_t *h;
	char word[2000];
	int code;

	app_forget(a);
	h = app_start(a, service, user);
	pam_setcred(h, PAM_REINITIALIZE_CRED); /* loads the modules: that dlopen fails is libpam's affair */
	if (handover) {
		snprintf(word, sizeof word, "CLUSTER_LOGIN_HANDOVER=%s", handover);
		pam_putenv(h, word);
	}
	if (stage == CLOSE && pam_open_session(h, 0) != PAM_SUCCESS && pam_open_session(h, 0) != APP_IGNORED)
		abort();
	fault.count = 0;
	fault.armed = true;
	code = stage == AUTH ? pam_authenticate(h, 0) : stage == ACCOUNT ? pam_acct_mgmt(h, 0) : stage == OPEN ? pam_open_session(h, 0) : pam_close_session(h, 0);
	fault.armed = false;
	app_end(h);
	return code;
}

enum oracle { MUST_REFUSE, MAY_SUCCEED, MAY_IGNORE };

static bool allowed(enum oracle oracle, enum stage stage, int code)
{
	static const int deny[] = { PAM_AUTH_ERR, PAM_AUTHINFO_UNAVAIL, PAM_SYSTEM_ERR, PAM_BUF_ERR, PAM_ABORT, PAM_PERM_DENIED, PAM_MAXTRIES };

	if (code == PAM_SUCCESS)
		return oracle == MAY_SUCCEED;
	if (code == APP_IGNORED || code == PAM_IGNORE)
		return oracle == MAY_IGNORE;
	if ((stage == OPEN || stage == CLOSE) && code == PAM_SESSION_ERR)
		return true;
	for (size_t i = 0; i < sizeof deny / sizeof deny[0]; i++)
		if (deny[i] == code)
			return true;
	return false;
}

static size_t open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

static unsigned long points;

static void inject(struct app *a, enum oracle oracle, enum stage stage, const char *service, const char *user, const char *handover)
{
	for (int mode = 0; mode < 4; mode++) {
		size_t descriptors = open_descriptors();
		unsigned long n = 0;

		fault.memory_only = mode & 1;
		fault.from_then_on = mode & 2;
		do {
			int code;

			fault.target = ++n;
			fault.wiped = true;
			code = run_stage(a, stage, service, user, handover);
			/* what follows the module fails too, and hides in `code` that it was left to it */
			if (!allowed(oracle, stage, code) || (oracle != MAY_IGNORE && strstr(a->log, "result=ignored")))
				fail_msg("%s of %s, %s %lu%s: code %d; log: %s", stage_names[stage], user, mode & 1 ? "allocation" : "call", n, mode & 2 ? " and all later" : "", code, a->log);
			if (!fault.wiped)
				fail_msg("the reply was freed unwiped at %lu", n);
		} while (fault.count >= n && n < 20000);
		points += n;
		assert_int_equal(open_descriptors(), descriptors);
	}
}

/* ---- scenes ---- */

static struct app a;
static char handover[1600];

static int setup(void **state)
{
	(void)state;
	wrap_pause_hook = pause_faults;
	wrap_fault_hook = tick;
	app_init(&a);
	strcpy(a.args, "debug");
	app_audit(4711);
	app_store(&a);
	if (app_auth(&a, "sshd", "emr-user") != PAM_SUCCESS)
		return 1;
	memcpy(handover, a.env, sizeof handover);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	app_done(&a);
	return 0;
}

static void test_good(void **state)
{
	(void)state;
	inject(&a, MAY_SUCCEED, AUTH, "sshd", "emr-user", NULL);
	inject(&a, MAY_SUCCEED, ACCOUNT, "sshd", "emr-user", handover);
	inject(&a, MAY_SUCCEED, OPEN, "sshd", "emr-user", handover);
	inject(&a, MAY_SUCCEED, CLOSE, "sshd", "emr-user", handover);
	inject(&a, MAY_SUCCEED, ACCOUNT, "cron", "emr-user", NULL);
}

static void test_revoked(void **state)
{
	(void)state;
	if (app_open(&a, "sshd", "emr-user", handover) != PAM_SUCCESS) /* a session of that person, for sudo */
		fail();
	world_revoke_id(&a.w, REVOKE_PERSON, &a.cred.person, 0);
	app_store(&a);
	inject(&a, MUST_REFUSE, AUTH, "sshd", "emr-user", NULL);
	inject(&a, MUST_REFUSE, OPEN, "sshd", "emr-user", handover);
	inject(&a, MUST_REFUSE, ACCOUNT, "sshd", "alice", NULL);
	world_revoke(&a.w, REVOKE_ACCOUNT, "emr-user", 0);
	app_store(&a);
	inject(&a, MUST_REFUSE, ACCOUNT, "sshd", "emr-user", NULL);
	inject(&a, MUST_REFUSE, ACCOUNT, "cron", "emr-user", NULL);
	inject(&a, MUST_REFUSE, ACCOUNT, "sudo", "emr-user", NULL);
}

static void test_no_handover(void **state)
{
	(void)state;
	inject(&a, MUST_REFUSE, OPEN, "sshd", "emr-user", NULL);
}

static void test_stale_and_junk(void **state)
{
	(void)state;
	a.reply = APP_TEXT;
	a.text = "junk";
	inject(&a, MUST_REFUSE, AUTH, "sshd", "emr-user", NULL);
	inject(&a, MUST_REFUSE, AUTH, "sshd", "nobody-here", NULL);
	a.reply = APP_GOOD;
	a.w.fresh.head_iat -= WORLD_MAX_STALE + 5;
	world_store_fresh(&a.w, a.state);
	inject(&a, MUST_REFUSE, AUTH, "sshd", "emr-user", NULL);
}

/* A foreign account may be ignored only if everything is known. */
static void test_foreign(void **state)
{
	(void)state;
	app_conf(&a, "[node]\nforeign = ignore\n");
	app_nss(&a, "ldap-user", 5000, 0);
	inject(&a, MAY_IGNORE, AUTH, "sshd", "ldap-user", NULL);
	inject(&a, MAY_SUCCEED, AUTH, "sshd", "emr-user", NULL); /* never ignored */
}

static void test_local(void **state)
{
	(void)state;
	inject(&a, MAY_IGNORE, AUTH, "sshd", "rescue", NULL);
	inject(&a, MAY_IGNORE, ACCOUNT, "sshd", "rescue", NULL);
	inject(&a, MAY_IGNORE, OPEN, "sshd", "rescue", NULL);
}

/* An adopted account is never left to its own password, however few descriptors and little memory the caller of su leaves. */
static void test_adopted(void **state)
{
	(void)state;
	app_conf(&a, "[node]\nadopt = ecs-user\n");
	by_user = true;
	inject(&a, MUST_REFUSE, AUTH, "su", "ecs-user", NULL);
	inject(&a, MAY_SUCCEED, ACCOUNT, "su", "ecs-user", NULL);
	inject(&a, MAY_SUCCEED, AUTH, "polkit-1", "ecs-user", NULL);
	by_user = false;
}

/* No memory at all: local accounts work. Without libpam, which needs some itself. */
static void test_local_without_memory(void **state)
{
	char path[400], state_arg[300], passwd_arg[300];
	const char *argv[] = { state_arg, passwd_arg };
	int (*entry)(pam_handle_t *, int, int, const char **);
	pam_handle_t *h = app_start(&a, "sshd", "rescue");
	void *module;
	int code;

	(void)state;
	snprintf(path, sizeof path, "%s/pam_cluster.so", getenv("BUILD"));
	snprintf(state_arg, sizeof state_arg, "state=%s", a.state);
	snprintf(passwd_arg, sizeof passwd_arg, "passwd=%s", a.passwd);
	module = dlopen(path, RTLD_NOW);
	assert_non_null(module);
	*(void **)&entry = dlsym(module, "pam_sm_acct_mgmt");
	fault.memory_only = fault.from_then_on = true;
	fault.target = 1;
	fault.count = 0;
	fault.armed = true;
	code = entry(h, 0, 2, argv);
	fault.armed = false;
	assert_int_equal(code, PAM_IGNORE);
	assert_true(fault.count > 0);
	dlclose(module);
	app_end(h);
}

/* A login by certificate: sshd's word for it stands in the environment. */
static void test_certificate(void **state)
{
	char *info = app_certificate(&a, NULL);

	(void)state;
	a.authinfo = info;
	inject(&a, MAY_SUCCEED, OPEN, "sshd", "emr-user", NULL);
	inject(&a, MAY_SUCCEED, CLOSE, "sshd", "emr-user", NULL);
	world_revoke(&a.w, REVOKE_CERT_SERIAL, "77", 0);
	app_store(&a);
	inject(&a, MUST_REFUSE, OPEN, "sshd", "emr-user", NULL);
	a.authinfo = "publickey ssh-ed25519-cert-v01@openssh.com AAAA\n";
	inject(&a, MUST_REFUSE, OPEN, "sshd", "emr-user", NULL);
	free(info);
}

/* sudo and su, of a shared account and of one's own, with answers that are none. */
static void test_step_up(void **state)
{
	(void)state;
	app_conf(&a, "[node]\nsudo_services = sudo, su\n");
	a.w.grants[WORLD_GRANT_ALICE].sudo = true;
	app_store(&a);
	assert_int_equal(app_open(&a, "sshd", "emr-user", handover), PAM_SUCCESS);
	a.reply = APP_TEXT;
	a.text = "secret";
	inject(&a, MUST_REFUSE, AUTH, "sudo", "emr-user", NULL);
	inject(&a, MUST_REFUSE, AUTH, "su", "alice", NULL);
	app_audit(4712);
	a.reply = APP_GOOD;
	assert_int_equal(app_auth(&a, "sshd", "alice"), PAM_SUCCESS);
	assert_int_equal(app_open(&a, "sshd", "alice", strdupa(a.env)), PAM_SUCCESS);
	a.reply = APP_TEXT;
	inject(&a, MAY_SUCCEED, AUTH, "sudo", "alice", NULL);
	a.w.grants[WORLD_GRANT_ALICE].sudo = false;
	app_store(&a);
	inject(&a, MUST_REFUSE, AUTH, "sudo", "alice", NULL);
	world_revoke_id(&a.w, REVOKE_PERSON, &a.cred.person, 0);
	app_store(&a);
	inject(&a, MUST_REFUSE, AUTH, "su", "emr-user", NULL);
}

/* A good one-time credential where no agent can say that it was not used. */
static void test_onetime_without_agent(void **state)
{
	struct onetime o = { .cluster = a.cred.cluster, .person = a.cred.person, .device = a.cred.device, .jti = a.cred.jti, .node = a.w.node.id, .iat = a.w.now, .exp = a.w.now + ONETIME_LIFE };
	char *token = NULL;

	(void)state;
	a.w.grants[WORLD_GRANT_ALICE].onetime = true;
	app_store(&a);
	memcpy(o.account, "emr-user", sizeof "emr-user");
	assert_int_equal(onetime_build(&o, a.w.issuer, &token), CLUSTER_OK);
	a.reply = APP_TEXT;
	a.text = token;
	inject(&a, MUST_REFUSE, AUTH, "sshd", "emr-user", NULL);
	free(token);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { T(test_good), T(test_revoked), T(test_no_handover), T(test_certificate), T(test_step_up), T(test_onetime_without_agent), T(test_stale_and_junk),
		T(test_foreign), T(test_local), T(test_adopted), T(test_local_without_memory) };
	int failed = cmocka_run_group_tests_name("pam faults", tests, NULL, NULL);

	printf("# %lu points of failure\n", points);
	return failed || points < 1000;
}
