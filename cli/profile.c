/* SPDX-License-Identifier: Apache-2.0 */
#include "profile.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster/document.h"
#include "cluster/endpoint.h"
#include "cluster/enrolled.h"
#include "cluster/file.h"
#include "cluster/node_conf.h"
#include "cluster/secret.h"
#include "cluster/wr.h"
#include "cmd.h"
#include "device_key.h"

struct fields {
	char url[CONF_STRING_SIZE], pin[CONF_STRING_SIZE], cluster[CONF_STRING_SIZE], person[CONF_STRING_SIZE], name[CONF_STRING_SIZE], device[CONF_STRING_SIZE];
	char relay[CONF_STRING_SIZE], device_key[CONF_STRING_SIZE];
};

static bool device_key_ok(const char *s)
{
	return *s == '\0' || device_key_name_ok(s);
}

static bool relay_ok(const char *s)
{
	return *s == '\0' || endpoint_ok(s);
}

#define ROW(field, text) { .section = "profile", .name = #field, .type = CONF_STRING, .offset = offsetof(struct fields, field), .help = text }
static const struct conf_key keys[] = {
	ROW(url, "the authority"),
	ROW(pin, "SHA-256 of the cluster's first root"),
	ROW(cluster, "cluster id"),
	ROW(person, "the person's id"),
	ROW(name, "the person's name"),
	ROW(device, "this device's id"),
	{ .section = "profile", .name = "relay", .type = CONF_STRING, .offset = offsetof(struct fields, relay), .item_ok = relay_ok, .help = "host:port of the relay to the authority" },
	{ .section = "profile", .name = "device_key", .type = CONF_STRING, .offset = offsetof(struct fields, device_key), .item_ok = device_key_ok, .help = "agent SHA256:... of this device's key" },
};
#define N_KEYS (sizeof keys / sizeof keys[0])

enum cluster_err profile_dir(char dst[PROFILE_PATH_MAX], struct diag *d)
{
	const char *own = getenv("CLUSTER_LOGIN_HOME"), *home = getenv("HOME");
	const struct passwd *pw;
	int n;

	if (own != NULL && *own != '\0') {
		if (*own != '/')
			return diag_set(d, CLUSTER_ECONFIG, "CLUSTER_LOGIN_HOME is not an absolute path");
		n = snprintf(dst, PROFILE_PATH_MAX, "%s", own);
	} else {
		if ((home == NULL || *home != '/') && (pw = getpwuid(geteuid())) != NULL)
			home = pw->pw_dir;
		if (home == NULL || *home != '/')
			return diag_set(d, CLUSTER_ECONFIG, "no home directory: set CLUSTER_LOGIN_HOME");
		n = snprintf(dst, PROFILE_PATH_MAX, "%s/.config/cluster-login", home);
	}
	if (n < 0 || n >= PROFILE_PATH_MAX)
		return diag_set(d, CLUSTER_ECONFIG, "the path of the home directory is too long");
	return CLUSTER_OK;
}

static struct file_rules rules(bool private)
{
	return (struct file_rules){ .owner = geteuid(), .forbid = private ? 077 : 022, .max_size = PROFILE_DOCUMENT_MAX, .any_parent = true };
}

static enum cluster_err path_of(const struct profile *p, const char *name, char dst[PROFILE_PATH_MAX], struct diag *d)
{
	enum cluster_err e = file_join(dst, PROFILE_PATH_MAX, p->dir, name);

	return e == CLUSTER_OK ? e : diag_set(d, e, "%s/%s: the path is too long", p->dir, name);
}

enum cluster_err profile_load(struct profile *ret, struct diag *d)
{
	struct fields f = { .url = "" };
	struct secret *text = NULL;
	struct profile p = { .url = "" };
	enum cluster_err e;

	if ((e = profile_dir(p.dir, d)) != CLUSTER_OK)
		goto out;
	if ((e = profile_read(&p, PROFILE_CONF, false, &text, d)) == CLUSTER_ENOTFOUND) {
		e = diag_set(d, CLUSTER_ECONFIG, "no cluster is set up here (%s)", p.dir);
		goto out;
	}
	if (e != CLUSTER_OK || (e = conf_parse((const char *)text->bytes, text->n, PROFILE_CONF, keys, N_KEYS, &f, d)) != CLUSTER_OK)
		goto out;
	if (document_pin_parse(f.pin, p.pin) != CLUSTER_OK || id_parse(f.cluster, &p.cluster) != CLUSTER_OK || id_parse(f.person, &p.person) != CLUSTER_OK ||
	    id_parse(f.device, &p.device) != CLUSTER_OK || f.url[0] == '\0') {
		e = diag_set(d, CLUSTER_ECONFIG, "%s/%s: a key is missing or wrong", p.dir, PROFILE_CONF);
		goto out;
	}
	memcpy(p.url, f.url, sizeof p.url);
	memcpy(p.name, f.name, sizeof p.name);
	memcpy(p.relay, f.relay, sizeof p.relay);
	memcpy(p.device_key, f.device_key, sizeof p.device_key);
	*ret = p;
	e = CLUSTER_OK;
out:
	secret_free(text);
	return e;
}

const char *profile_next(enum cluster_err e)
{
	char path[PROFILE_PATH_MAX];
	struct profile p;

	if (profile_dir(p.dir, NULL) != CLUSTER_OK || path_of(&p, PROFILE_CONF, path, NULL) != CLUSTER_OK)
		return "export CLUSTER_LOGIN_HOME=/an/absolute/path, or leave it unset";
	if (access(path, F_OK) == 0 || errno == EACCES)
		return e == CLUSTER_ESYSTEM || e == CLUSTER_EUNTRUSTED ? "the same as the user whose files these are, or with another CLUSTER_LOGIN_HOME" :
			"cluster-login setup URL --pin sha256:... --code CODE --force (with a new code: cluster-login user invite)";
	if (access(NODE_CONF_STATE "/" ENROLLED_FILE, F_OK) == 0)
		return "on your own machine; this one is a node: from here plain ssh goes on to other nodes, where a grant has --hop";
	return CMD_TRY_SETUP;
}

struct api_where profile_where(const struct profile *p)
{
	return (struct api_where){ .url = p->url, .via = p->relay[0] != '\0' ? p->relay : NULL };
}

enum cluster_err profile_make_dir(const char *dir, struct diag *d)
{
	char parent[PROFILE_PATH_MAX];
	char *slash;

	(void)snprintf(parent, sizeof parent, "%s", dir);
	slash = strrchr(parent, '/');
	if (slash != NULL && slash != parent) {
		*slash = '\0';
		if (mkdir(parent, 0700) != 0 && errno != EEXIST)
			return diag_errno(d, "cannot make %s", parent);
	}
	return file_mkdir(dir, 0700, d);
}

enum cluster_err profile_store(const struct profile *p, struct diag *d)
{
	char cluster[ID_TEXT + 1], person[ID_TEXT + 1], device[ID_TEXT + 1], pin[DOCUMENT_PIN_TEXT + 1];
	enum cluster_err e;
	struct wr w;

	id_text(&p->cluster, cluster);
	id_text(&p->person, person);
	id_text(&p->device, device);
	document_pin_text(p->pin, pin);
	wr_grow(&w, CONF_FILE_MAX);
	wr_printf(&w, "# Written by cluster-login setup.\n[profile]\nurl = %s\npin = %s\ncluster = %s\nperson = %s\nname = %s\ndevice = %s\n", p->url, pin, cluster, person,
	    p->name, device);
	if (p->relay[0] != '\0')
		wr_printf(&w, "relay = %s\n", p->relay);
	if (p->device_key[0] != '\0')
		wr_printf(&w, "device_key = %s\n", p->device_key);
	if ((e = wr_end(&w)) == CLUSTER_OK)
		e = profile_write(p, PROFILE_CONF, w.p, w.n, d);
	else
		diag_set(d, e, "out of memory");
	wr_done(&w);
	return e;
}

enum cluster_err profile_read(const struct profile *p, const char *name, bool private, struct secret **ret, struct diag *d)
{
	const struct file_rules r = rules(private);
	char path[PROFILE_PATH_MAX];
	enum cluster_err e;

	if ((e = path_of(p, name, path, d)) != CLUSTER_OK)
		return e;
	return file_read(path, &r, ret, d);
}

enum cluster_err profile_write(const struct profile *p, const char *name, const void *data, size_t n, struct diag *d)
{
	char path[PROFILE_PATH_MAX];
	enum cluster_err e;

	if ((e = path_of(p, name, path, d)) != CLUSTER_OK)
		return e;
	return file_replace(path, data, n, 0600, d);
}

enum cluster_err profile_rename(const struct profile *p, const char *from, const char *to, struct diag *d)
{
	char a[PROFILE_PATH_MAX], b[PROFILE_PATH_MAX];
	enum cluster_err e;

	if ((e = path_of(p, from, a, d)) != CLUSTER_OK || (e = path_of(p, to, b, d)) != CLUSTER_OK)
		return e;
	return rename(a, b) == 0 ? CLUSTER_OK : diag_errno(d, "cannot rename %s", a);
}

enum cluster_err profile_remove(const struct profile *p, const char *name, struct diag *d)
{
	char path[PROFILE_PATH_MAX];
	enum cluster_err e;

	if ((e = path_of(p, name, path, d)) != CLUSTER_OK)
		return e;
	if (unlink(path) != 0 && errno != ENOENT)
		return diag_errno(d, "cannot remove %s", path);
	return CLUSTER_OK;
}

int profile_lock(const struct profile *p, const char *name, int how)
{
	char path[PROFILE_PATH_MAX];
	int fd;

	if (file_join(path, sizeof path, p->dir, name) != CLUSTER_OK || (fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600)) < 0)
		return -1;
	while (flock(fd, how) != 0) {
		if (errno == EINTR)
			continue;
		file_close(fd);
		return -1;
	}
	return fd;
}

enum cluster_err profile_key_read(const struct profile *p, const char *name, struct crypto_key **ret, struct diag *d)
{
	struct secret *pem = NULL;
	enum cluster_err e;

	if ((e = profile_read(p, name, true, &pem, d)) != CLUSTER_OK)
		goto out;
	if ((e = crypto_key_parse(pem->bytes, pem->n, ret)) != CLUSTER_OK)
		diag_set(d, e, "%s/%s is not a private key", p->dir, name);
out:
	secret_free(pem);
	return e;
}

enum cluster_err profile_key_write(const struct profile *p, const char *name, const struct crypto_key *key, struct diag *d)
{
	struct secret *pem = NULL;
	enum cluster_err e;

	if ((e = crypto_key_build(key, &pem)) != CLUSTER_OK) {
		diag_set(d, e, "cannot write a key");
		goto out;
	}
	e = profile_write(p, name, pem->bytes, pem->n, d);
out:
	secret_free(pem);
	return e;
}
