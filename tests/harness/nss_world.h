/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_NSS_WORLD_H
#define TESTS_NSS_WORLD_H

#include <grp.h>
#include <netdb.h>
#include <nss.h>
#include <pwd.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/snap_write.h"

/*
 * A mount namespace of its own with an empty /var/lib, so that the module as it is shipped can be tested on the path that is compiled into it.
 * Everything here ends the program with a sentence if it fails.
 */

#define WORLD_STATE "/var/lib/cluster-login"

/* Needs root. Nothing of it is seen outside this process and its children. */
void world_enter(void);

/* The module, loaded once. */
struct world_module {
	enum nss_status (*getpwnam)(const char *, struct passwd *, char *, size_t, int *);
	enum nss_status (*getpwuid)(uid_t, struct passwd *, char *, size_t, int *);
	enum nss_status (*setpwent)(int);
	enum nss_status (*getpwent)(struct passwd *, char *, size_t, int *);
	enum nss_status (*endpwent)(void);
	enum nss_status (*getgrnam)(const char *, struct group *, char *, size_t, int *);
	enum nss_status (*getgrgid)(gid_t, struct group *, char *, size_t, int *);
	enum nss_status (*setgrent)(int);
	enum nss_status (*getgrent)(struct group *, char *, size_t, int *);
	enum nss_status (*endgrent)(void);
	enum nss_status (*initgroups)(const char *, gid_t, long *, long *, gid_t **, long, int *);
	enum nss_status (*gethostbyname)(const char *, struct hostent *, char *, size_t, int *, int *);
	enum nss_status (*gethostbyname2)(const char *, int, struct hostent *, char *, size_t, int *, int *);
	enum nss_status (*gethostbyname3)(const char *, int, struct hostent *, char *, size_t, int *, int *, int32_t *, char **);
	enum nss_status (*gethostbyname4)(const char *, struct gaih_addrtuple **, char *, size_t, int *, int *, int32_t *);
	enum nss_status (*gethostbyaddr)(const void *, socklen_t, int, struct hostent *, char *, size_t, int *, int *);
	enum nss_status (*gethostbyaddr2)(const void *, socklen_t, int, struct hostent *, char *, size_t, int *, int *, int32_t *);
	enum nss_status (*sethostent)(int);
	enum nss_status (*gethostent)(struct hostent *, char *, size_t, int *, int *);
	enum nss_status (*endhostent)(void);
};
extern struct world_module module;
void world_load(void);

/* The file $BUILD/libnss_cluster.so.2. */
const char *world_module_path(void);

/* The marker. */
void world_enroll(void);

/* A whole file, replaced by rename, 0644 root. */
void world_write(const char *path, const void *data, size_t n);

/* As the agent does it: the file into gen/<n>, fresh by rename, then the word. The generation before the last is removed. */
void world_publish(uint64_t generation, const void *file, size_t n);

/* The same in parts: all but the word. */
void world_publish_silently(uint64_t generation, const void *file, size_t n);

/*
 * accounts.snap of `n` accounts: user0000.. with uid and gid 1880000000 + i + `shift`, home /home/<name>; group0000.. of the same number, gid 1880500000 + i,
 * each listing the account of its number and the next. And the nodes of world_nodes. Freed by the caller.
 */
uint8_t *world_accounts(size_t n, uint32_t shift, size_t *ret_n);

/* master-1-1 and -2 (role master, the second leads), core-1-1 and -2, task-1-1; some with IPv4 or IPv6 only; core-1-1 also with addresses that nobody may be told. */
#define WORLD_NODES 5
extern const struct snap_node_in world_nodes[WORLD_NODES];

#define WORLD_UID(i, shift) (UINT32_C(1880000000) + (uint32_t)(i) + (shift))
#define WORLD_GID(i) (UINT32_C(1880500000) + (uint32_t)(i))

#endif
