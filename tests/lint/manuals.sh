#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Manual pages: no error and no warning, and one for each program and module that is built.
set -u
status=0
for page in */*.[1578] lib/*/*.[1578]; do
	[ ! -f "$page" ] || mandoc -T lint -W warning "$page" || status=1
done
while read -r binary page; do
	[ ! -f "$BUILD/$binary" ] || [ -f "$page" ] || { echo "$page is missing"; status=1; }
done <<'END'
libnss_cluster.so.2 nss_cluster/nss_cluster.8
pam_cluster.so pam_cluster/pam_cluster.8
cluster-agentd agent/cluster-agentd.8
cluster-authorityd authority/cluster-authorityd.8
cluster-login cli/cluster-login.1
cluster-login-principals sshd_principals/cluster-login-principals.8
END
exit "$status"
