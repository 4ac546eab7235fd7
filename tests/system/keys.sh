# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016
# Keys that change under everybody's feet: the root goes on, under the same key or another; nodes and people follow by themselves, and who comes new has the old pin (PROTOCOL.md 3.1, 3.2).
cast_all
node=core-1-1
must_quietly root@authority 'mv /var/lib/cluster-authority/root.key /root/root.key && chown root: /root/root.key'

root_version() {
	[[ $(host_run "$1" bash -c 'grep -c "^$" /var/lib/cluster-login/docs/root.jws') == "$2" ]]
}

# works SENTENCE: the whole way, from a new credential to a revocation that every node proves.
works() {
	on alice@client "cluster-login get && cluster-login ssh emr-user@$node -- id -un"
	expect_text '^emr-user$' "$1: a person gets in"
	on root@authority 'cluster-login revoke person bob --wait'
	expect_ok "$1: a revocation is proved by all"
	must_quietly root@authority 'cluster-login unrevoke person bob'
	cast_settled
}

# ---- the root ----
on root@authority 'cluster-authorityd root'
expect_text '^version 1, until 20' 'until when the root holds'
on root@authority 'cluster-authorityd root --root-key /root/root.key'
expect_text '^root 2$' 'renewed with the same key'
for host in "${NODES[@]}"; do
	expect "$host has it" within 20000 root_version "$host" 2
done
works 'renewed'
on root@authority 'cluster-authorityd root --root-key /root/root.key --new-root-key /root/next.key'
expect_text '^root 3$' 'another key in its place'
expect_text 'The root key is /root/next.key' 'which is to be kept'
for host in "${NODES[@]}"; do
	expect "$host has it" within 20000 root_version "$host" 3
done
works 'replaced'
on root@authority 'cluster-authorityd keyset --root-key /root/root.key --rotate issuer'
expect_status 77 'the old one changes nothing any more'
on root@authority 'cluster-authorityd keyset --root-key /root/next.key --rotate issuer'
expect_ok 'the new one does'

# ---- who was away, who comes new ----
agent_kill $node
must_quietly root@authority 'cluster-authorityd root --root-key /root/next.key'
agent_start $node
expect 'an agent that was away follows' within 20000 root_version $node 4
must_quietly root@authority 'cluster-login user add carol && cluster-login grant add --person carol --account emr-user'
cast_device carol client authority
on carol@client "cluster-login ssh emr-user@$node -- id -un"
expect_text '^emr-user$' 'a device that is set up now, by the pin of old'
works 'in the end'
