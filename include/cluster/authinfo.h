/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_AUTHINFO_H
#define CLUSTER_AUTHINFO_H

#include <stddef.h>

#include "cluster/attr.h"
#include "cluster/err.h"

/* What sshd tells PAM of the keys that it has seen proved: SSH_AUTH_INFO_0, "method[/submethod] [type base64 [more]]" a line. lib/trust/authinfo.c. */

#define AUTHINFO_NAME "SSH_AUTH_INFO_0"
#define AUTHINFO_MAX 65536 /* characters that are looked at */

/*
 * The one certificate that publickey has proved: *ret is "type base64" of *ret_n characters, inside `text`. CLUSTER_ENOTFOUND: there is none. CLUSTER_EDENIED: there are several, and nobody
 * can say which one counts. CLUSTER_EFORMAT: a line that sshd does not write. CLUSTER_ELIMIT: longer than AUTHINFO_MAX.
 */
enum cluster_err authinfo_certificate(const char *text, size_t n, const char **ret, size_t *ret_n) CLUSTER_MUST_USE;

#endif
