/* SPDX-License-Identifier: Apache-2.0 */
/* Requirements I3 (links, permissions, owners, FIFOs) and I4 (modes from creation). */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cluster/file.h"
#include "cluster/secret.h"

static char top[64];
static struct file_rules rules;

/* A fresh directory of ours, mode 0700, as current directory; rules that everything in it obeys. */
static int setup(void **state)
{
	(void)state;
	umask(022);
	snprintf(top, sizeof top, "/tmp/test_file.XXXXXX");
	rules = (struct file_rules){ .owner = geteuid(), .forbid = 022, .max_size = 4096 };
	return mkdtemp(top) && chdir(top) == 0 ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	return chdir("/") == 0 && nftw(top, remove_entry, 8, FTW_DEPTH | FTW_PHYS) == 0 ? 0 : -1;
}

static void put(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_ok(file_write_all(fd, text, strlen(text)));
	assert_return_code(fchmod(fd, mode), errno);
	close(fd);
}

static enum cluster_err try(const char *name)
{
	enum cluster_err e;
	struct secret *s = NULL;
	struct diag d;
	char path[256];

	assert_ok(file_join(path, sizeof path, top, name));
	diag_clear(&d);
	e = file_read(path, &rules, &s, &d);
	assert_int_equal(d.code, e);
	if (e == CLUSTER_OK)
		assert_string_equal((const char *)s->bytes, "hello");
	else
		assert_null(s);
	secret_free(s);
	return e;
}

static void test_a_good_file(void **state)
{
	struct stat st;
	char path[256];
	int fd = -1;

	(void)state;
	put("good", "hello", 0644);
	assert_ok(try("good"));
	assert_ok(file_join(path, sizeof path, top, "good"));
	assert_ok(file_open(path, &rules, &fd, &st, NULL));
	assert_int_equal(st.st_size, 5);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	file_close(fd);
	assert_ok(file_open("good", &rules, &fd, NULL, NULL));
	file_close(fd);
	put("empty", "", 0644);
	assert_ok(file_open("empty", &rules, &fd, &st, NULL));
	file_close(fd);
}

static void test_nothing_there(void **state)
{
	(void)state;
	assert_err(try("absent"), CLUSTER_ENOTFOUND);
	assert_err(try("no/such/parent"), CLUSTER_ENOTFOUND);
	put("file", "hello", 0644);
	assert_err(try("file/below"), CLUSTER_EUNTRUSTED);
}

static void test_i3_symbolic_links(void **state)
{
	(void)state;
	put("target", "hello", 0644);
	assert_return_code(symlink("target", "link"), errno);
	assert_return_code(symlink("nowhere", "dangling"), errno);
	assert_return_code(symlink("loop", "loop"), errno);
	assert_err(try("link"), CLUSTER_EUNTRUSTED);
	assert_err(try("dangling"), CLUSTER_EUNTRUSTED);
	assert_err(try("loop/x"), CLUSTER_EUNTRUSTED);
	rules.any_parent = true;
	assert_err(try("link"), CLUSTER_EUNTRUSTED);
	assert_ok(try("target"));
}

static void test_i3_what_is_not_a_regular_file(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "socket" };
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_return_code(mkfifo("fifo", 0644), errno);
	assert_return_code(mkdir("directory", 0755), errno);
	assert_return_code(bind(s, (struct sockaddr *)&address, sizeof address), errno);
	close(s);
	assert_err(try("fifo"), CLUSTER_EUNTRUSTED);
	assert_err(try("directory"), CLUSTER_EUNTRUSTED);
	assert_err(try("directory/"), CLUSTER_EUNTRUSTED);
	assert_err(try("socket"), CLUSTER_EUNTRUSTED);
	rules.owner = 0;
	assert_err(file_open("/dev/null", &rules, &s, NULL, NULL), CLUSTER_EUNTRUSTED);
}

static void test_i3_owner_and_mode(void **state)
{
	static const mode_t good[] = { 0400, 0600, 0644, 0755, 0444 }, bad[] = { 0620, 0602, 0666, 0664, 0646, 02620 };

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		put("f", "hello", good[i]);
		assert_ok(try("f"));
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		put("f", "hello", bad[i]);
		assert_err(try("f"), CLUSTER_EUNTRUSTED);
	}
	put("f", "hello", 0644);
	rules.forbid = 077;
	assert_err(try("f"), CLUSTER_EUNTRUSTED);
	put("f", "hello", 0600);
	assert_ok(try("f"));
	rules.any_parent = true;
	rules.owner = geteuid() + 1;
	assert_err(try("f"), CLUSTER_EUNTRUSTED);
}

static void test_i3_size(void **state)
{
	struct secret *s = NULL;

	(void)state;
	put("f", "hello", 0644);
	rules.max_size = 5;
	assert_ok(try("f"));
	rules.max_size = 4;
	assert_err(try("f"), CLUSTER_ELIMIT);
	rules.max_size = SIZE_MAX;
	assert_return_code(truncate("f", (off_t)65 << 20), errno);
	assert_err(file_read("f", &rules, &s, NULL), CLUSTER_ELIMIT);
	assert_null(s);
}

static void test_i3_parents(void **state)
{
	struct diag d;
	char path[256];
	int fd;

	(void)state;
	assert_return_code(mkdir("d", 0755), errno);
	put("d/f", "hello", 0644);
	assert_ok(try("d/f"));
	assert_ok(try("d//f"));
	assert_ok(try("./d/../d/f"));
	assert_return_code(chmod("d", 0775), errno);
	assert_err(try("d/f"), CLUSTER_EUNTRUSTED);
	assert_return_code(chmod("d", 0757), errno);
	assert_err(try("d/f"), CLUSTER_EUNTRUSTED);
	rules.any_parent = true;
	assert_ok(try("d/f"));
	rules.any_parent = false;
	assert_return_code(chmod("d", 01777), errno);
	assert_ok(try("d/f"));
	assert_return_code(chmod("d", 0755), errno);
	/* The message names the directory that is wrong: as root somebody else's, else one that is not the wanted owner's. */
	if (geteuid() == 0)
		assert_return_code(chown("d", 1234, 0), errno);
	else
		rules.owner = geteuid() + 1;
	assert_ok(file_join(path, sizeof path, top, "d/f"));
	assert_err(file_open(path, &rules, &fd, NULL, &d), CLUSTER_EUNTRUSTED);
	assert_non_null(strstr(d.text, "directory"));
	assert_non_null(strstr(d.text, top));
}

static void test_i3_links_among_the_parents(void **state)
{
	char target[96];

	(void)state;
	assert_return_code(mkdir("real", 0755), errno);
	put("real/f", "hello", 0644);
	assert_return_code(symlink("real", "relative"), errno);
	snprintf(target, sizeof target, "%s/real", top);
	assert_return_code(symlink(target, "absolute"), errno);
	assert_return_code(symlink("absolute", "twice"), errno);
	assert_ok(try("relative/f"));
	assert_ok(try("absolute/f"));
	assert_ok(try("twice/f"));
	/* Judged is where the link leads, */
	assert_return_code(chmod("real", 0777), errno);
	assert_err(try("relative/f"), CLUSTER_EUNTRUSTED);
	assert_return_code(chmod("real", 0755), errno);
	/* every directory on the way, */
	assert_return_code(mkdir("open", 0777), errno);
	assert_return_code(chmod("open", 0777), errno);
	assert_return_code(symlink("../real", "open/link"), errno);
	assert_return_code(symlink("open/link", "via"), errno);
	assert_err(try("via/f"), CLUSTER_EUNTRUSTED);
	/* and who made it. */
	if (geteuid() == 0) {
		assert_return_code(lchown("relative", 1234, 0), errno);
		assert_err(try("relative/f"), CLUSTER_EUNTRUSTED);
	}
}

static void test_i3_hard_links_where_others_may_write(void **state)
{
	(void)state;
	put("original", "hello", 0644);
	assert_return_code(mkdir("sticky", 0755), errno);
	assert_return_code(chmod("sticky", 01777), errno);
	assert_return_code(link("original", "sticky/other"), errno);
	assert_err(try("sticky/other"), CLUSTER_EUNTRUSTED);
	assert_ok(try("original"));
	assert_return_code(unlink("original"), errno);
	assert_ok(try("sticky/other"));
}

static void test_paths_that_are_too_long(void **state)
{
	char *path = malloc(5000);
	int fd;

	(void)state;
	assert_non_null(path);
	memset(path, '/', 5000);
	path[4999] = '\0';
	assert_err(file_open(path, &rules, &fd, NULL, NULL), CLUSTER_ELIMIT);
	free(path);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_return_code(lstat(path, &st), errno);
	return st.st_mode & 07777;
}

/* How many entries the current directory has. */
static unsigned entries(void)
{
	DIR *dir = opendir(".");
	unsigned n = 0;

	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir)); )
		n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(dir);
	return n;
}

static void test_i4_replace(void **state)
{
	(void)state;
	umask(077);
	assert_ok(file_replace("f", "hello", 5, 0644, NULL));
	assert_int_equal(mode_of("f"), 0644);
	assert_ok(try("f"));
	umask(0);
	assert_ok(file_replace("f", "hello", 5, 0600, NULL));
	assert_int_equal(mode_of("f"), 0600);
	assert_ok(try("f"));
	assert_int_equal(entries(), 1);
	/* A link is replaced, not followed; a directory stays. */
	put("kept", "kept", 0644);
	assert_return_code(symlink("kept", "link"), errno);
	assert_ok(file_replace("link", "hello", 5, 0600, NULL));
	assert_ok(try("link"));
	assert_return_code(mkdir("d", 0755), errno);
	assert_err(file_replace("d", "hello", 5, 0600, NULL), CLUSTER_ESYSTEM);
	assert_int_equal(entries(), 4);
}

static void test_replace_where_it_cannot(void **state)
{
	char name[300];
	struct diag d;

	(void)state;
	diag_clear(&d);
	assert_err(file_replace("no/such/f", "x", 1, 0600, &d), CLUSTER_ESYSTEM);
	assert_int_equal(d.sys_errno, ENOENT);
	memset(name, 'n', sizeof name);
	name[256] = '\0';
	assert_err(file_replace(name, "x", 1, 0600, &d), CLUSTER_ESYSTEM);
	assert_int_equal(d.sys_errno, ENAMETOOLONG);
	assert_err(file_replace("/dev/full/x", "x", 1, 0600, &d), CLUSTER_ESYSTEM);
	assert_int_equal(entries(), 0);
}

/* A limit on the size of files stands for a full disk: the write stops half-way. */
static void test_i4_a_failed_write_keeps_the_old_file(void **state)
{
	struct rlimit before, low;
	struct diag d;

	(void)state;
	assert_ok(file_replace("f", "hello", 5, 0600, NULL));
	assert_return_code(getrlimit(RLIMIT_FSIZE, &before), errno);
	low = (struct rlimit){ .rlim_cur = 3, .rlim_max = before.rlim_max };
	signal(SIGXFSZ, SIG_IGN);
	assert_return_code(setrlimit(RLIMIT_FSIZE, &low), errno);
	assert_err(file_replace("f", "other", 5, 0600, &d), CLUSTER_ESYSTEM);
	assert_int_equal(d.sys_errno, EFBIG);
	assert_err(file_create("g", "other", 5, 0600, &d), CLUSTER_ESYSTEM);
	assert_return_code(setrlimit(RLIMIT_FSIZE, &before), errno);
	assert_ok(try("f"));
	assert_int_equal(entries(), 1);
}

static void test_i4_create_never_overwrites(void **state)
{
	struct diag d;

	(void)state;
	assert_ok(file_create("key", "hello", 5, 0600, &d));
	assert_int_equal(mode_of("key"), 0600);
	assert_err(file_create("key", "other", 5, 0600, &d), CLUSTER_EDENIED);
	assert_non_null(strstr(d.text, "exists"));
	assert_ok(try("key"));
	assert_return_code(symlink("nowhere", "dangling"), errno);
	assert_err(file_create("dangling", "other", 5, 0600, &d), CLUSTER_EDENIED);
	assert_int_equal(entries(), 2);
}

static void test_i4_mkdir(void **state)
{
	(void)state;
	umask(077);
	assert_ok(file_mkdir("d", 0755, NULL));
	assert_int_equal(mode_of("d"), 0755);
	umask(0);
	assert_ok(file_mkdir("e", 0700, NULL));
	assert_int_equal(mode_of("e"), 0700);
	assert_ok(file_mkdir("d", 0700, NULL));
	assert_int_equal(mode_of("d"), 0755);
	assert_return_code(chmod("d", 0775), errno);
	assert_err(file_mkdir("d", 0700, NULL), CLUSTER_EUNTRUSTED);
	put("f", "", 0600);
	assert_err(file_mkdir("f", 0700, NULL), CLUSTER_EUNTRUSTED);
	assert_return_code(symlink("e", "link"), errno);
	assert_err(file_mkdir("link", 0700, NULL), CLUSTER_EUNTRUSTED);
	assert_err(file_mkdir("no/d", 0700, NULL), CLUSTER_ESYSTEM);
	if (geteuid() == 0) {
		assert_return_code(chown("e", 1234, 0), errno);
		assert_err(file_mkdir("e", 0700, NULL), CLUSTER_EUNTRUSTED);
	}
}

static void test_exact_reads(void **state)
{
	char got[6] = "";
	int fd[2];

	(void)state;
	assert_return_code(pipe(fd), errno);
	assert_ok(file_write_all(fd[1], "abc", 3));
	assert_ok(file_write_all(fd[1], "de", 2));
	assert_ok(file_read_all(fd[0], got, 5));
	assert_string_equal(got, "abcde");
	assert_ok(file_write_all(fd[1], "f", 1));
	close(fd[1]);
	assert_err(file_read_all(fd[0], got, 2), CLUSTER_ETRUNC);
	close(fd[0]);
	assert_err(file_read_all(-1, got, 1), CLUSTER_ESYSTEM);
	assert_int_equal(errno, EBADF);
	assert_err(file_write_all(-1, got, 1), CLUSTER_ESYSTEM);
	errno = EILSEQ;
	file_close(-1);
	assert_int_equal(errno, EILSEQ);
}

static void test_join(void **state)
{
	char path[6];

	(void)state;
	assert_ok(file_join(path, sizeof path, "/a", "bc"));
	assert_string_equal(path, "/a/bc");
	assert_err(file_join(path, sizeof path, "/a", "bcd"), CLUSTER_ELIMIT);
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIRECTORY(test_a_good_file),
		IN_DIRECTORY(test_nothing_there),
		IN_DIRECTORY(test_i3_symbolic_links),
		IN_DIRECTORY(test_i3_what_is_not_a_regular_file),
		IN_DIRECTORY(test_i3_owner_and_mode),
		IN_DIRECTORY(test_i3_size),
		IN_DIRECTORY(test_i3_parents),
		IN_DIRECTORY(test_i3_links_among_the_parents),
		IN_DIRECTORY(test_i3_hard_links_where_others_may_write),
		IN_DIRECTORY(test_paths_that_are_too_long),
		IN_DIRECTORY(test_i4_replace),
		IN_DIRECTORY(test_replace_where_it_cannot),
		IN_DIRECTORY(test_i4_a_failed_write_keeps_the_old_file),
		IN_DIRECTORY(test_i4_create_never_overwrites),
		IN_DIRECTORY(test_i4_mkdir),
		cmocka_unit_test(test_exact_reads),
		cmocka_unit_test(test_join),
	};
	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
