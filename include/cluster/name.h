/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_NAME_H
#define CLUSTER_NAME_H

#include <stdbool.h>
#include <stdint.h>

/* The grammars of PROTOCOL.md 1.4 as pure predicates. NULL is never ok. No call looks past the maximum plus one byte. */

#define NAME_ACCOUNT_MAX 32 /* accounts and groups: ^[a-z_][a-z0-9_-]{0,31}$ */
#define NAME_NODE_MAX 63    /* one lower-case DNS label */
#define NAME_ROLE_MAX 32    /* roles and labels: the grammar of accounts */
#define NAME_KID_MAX 32     /* ^[A-Za-z0-9_-]{1,32}$ */
#define NAME_SERVICE_MAX 32 /* PAM service names: ^[A-Za-z0-9_.-]{1,32}$, not starting with a dot */
#define NAME_PERSON_MAX 64  /* people's login names: ^[a-z0-9_][a-z0-9_.@+-]{0,63}$ */
#define NAME_PATH_MAX 255
#define NAME_GECOS_MAX 127

bool name_account_ok(const char *s);
bool name_group_ok(const char *s);
bool name_node_ok(const char *s); /* also refuses the reserved list: localhost, broadcasthost, ip6-localhost, ... */
bool name_role_ok(const char *s);
/* A node's name, a role's or "leader" that the hosts database may answer: none that the system or a convention gives a meaning of its own to (PROTOCOL.md 1.4). */
bool name_host_ok(const char *s);
bool name_kid_ok(const char *s);
bool name_service_ok(const char *s);
bool name_person_ok(const char *s);

/* Names that no directory may give to an account or a group, because distributions attach rights to them (THREATS.md D3). */
bool name_account_reserved(const char *s);
bool name_group_reserved(const char *s);

/* An absolute path of at most 255 bytes: no "." or ".." component, no ':', no control byte, no trailing '/'. */
bool name_path_ok(const char *s);
/* At most 127 bytes of UTF-8, no ':', no ',', no '\n', no control byte. May be empty. */
bool name_gecos_ok(const char *s);

/*
 * uid or gid that a directory may give at all: 1000..60000 or 65536..2147483647. 0-999 belong to the system, 60001-65535 to systemd and
 * nobody (THREATS.md D1). NSS and PAM ask again on every read.
 */
bool name_id_ok(uint32_t id);

#endif
