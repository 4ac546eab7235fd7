/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_KNOWN_HOSTS_H
#define CLI_KNOWN_HOSTS_H

/* What ssh's KnownHostsCommand is given: the host keys of one node, by the signed directory on disk. `host` is its name and nothing else. The exit status. */
int known_hosts_print(const char *host);

#endif
