# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034
step 'Nodes join: a token for each, good once; the pin proves the authority before the token is sent'
cast_token master master-1-1
WRONG_PIN=sha256:$(printf 'A%.0s' {1..43})
on root@master-1-1 "${JOIN/"$PIN"/"$WRONG_PIN"}"
expect_status 77 'a wrong pin is refused'
on root@master-1-1 "$JOIN"
expect_ok 'master-1-1 has joined'
agent_start master-1-1
on root@core-1-1 "$JOIN"
expect_status 77 'the same token a second time is refused'
for node in core-1-1 task-1-1; do
	cast_token "${node%%-*}" "$node"
	on "root@$node" "$JOIN"
	expect_ok "$node has joined"
	agent_start "$node"
done
on root@core-1-1 'sshd -T | grep -iE "^(kbdinteractive|password)authentication"; grep -h pam_cluster /etc/pam.d/common-*; grep -E "^(passwd|group):" /etc/nsswitch.conf'
expect_text 'kbdinteractiveauthentication yes' 'sshd, PAM and NSS are configured'
on root@authority 'cluster-login node set master-1-1 --leader; cluster-login node list'
expect_text 'master-1-1 .*leader.*10\.77\.0\.11' 'the authority knows the nodes by name, role and address'
