/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_KNOWN_HOSTS_H
#define CLI_KNOWN_HOSTS_H

/*
 * What ssh's KnownHostsCommand is given: the host keys of one node, by the signed directory on disk. `host` is its name and nothing else; `key`, in base64, is
 * what the host that was reached has shown, or NULL: if it is not one of them, stderr says what may have happened. The exit status.
 */
int known_hosts_print(const char *host, const char *key);

#endif
