# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034
# join --configure and leave: what is changed comes back byte for byte; a join that fails leaves nothing; a configuration that sshd would not take is put back.
cast_hosts
cast_authority authority demo
node=core-1-1
ALL='cd / && find etc var/lib/pam -xdev -type f ! -path "etc/ssh/ssh_host_*" -print0 | sort -z | xargs -0 sha256sum; find etc var/lib/pam -xdev -printf "%M %u %g %p %l\n" | sort -k 4'

must_quietly root@$node "$ALL"
BEFORE=$OUT
cast_token core $node

on root@$node "$(sed '/--token A/{s/--token A/--token B/;b};s/--token ./--token A/' <<<"$JOIN")"
expect_status 77 'a wrong token is refused'
must_quietly root@$node "$ALL"
expect 'a join that is refused changes nothing' test "$OUT" = "$BEFORE"

must_quietly root@$node 'echo "KbdInteractiveAuthentication no" >/etc/ssh/sshd_config.d/00-site.conf'
on root@$node "$JOIN"
expect_status 78 'another file that contradicts the drop-in is noticed'
expect_text 'kbdinteractiveauthentication' 'and named'
must_quietly root@$node 'rm /etc/ssh/sshd_config.d/00-site.conf'
must_quietly root@$node "$ALL"
expect 'all files are put back' test "$OUT" = "$BEFORE"
on root@$node 'cluster-login join --configure --adopt ecs-user'
expect_ok 'the second half is done again once that is put right'
agent_start $node

must_quietly root@authority 'cluster-login account add emr-user && cluster-login user add alice && cluster-login grant add --person alice --account emr-user'
DEMO_QUIET=1 cast_device alice client authority
NODES=(core-1-1)
cast_settled
must_quietly alice@client 'cluster-login get'
on alice@client "cluster-login ssh emr-user@$node -- id -un"
expect_ok 'people log on'
on root@$node 'cluster-login doctor'
expect_ok 'doctor finds nothing wrong'
on root@$node "$JOIN"
expect_status 78 'a node that has joined does not join again'

on root@$node 'cluster-login leave'
expect_status 75 'leave waits for the agent to be stopped'
agent_kill $node
on root@$node 'cluster-login leave'
expect_ok 'leave'
must_quietly root@$node "$ALL"
[[ $OUT == "$BEFORE" ]] || diff <(printf '%s\n' "$BEFORE") <(printf '%s\n' "$OUT") | sed 's/^/# /' || true
expect 'every file is as it was, byte for byte' test "$OUT" = "$BEFORE"
on root@$node 'getent passwd emr-user'
expect_status 2 'the names are gone'
on alice@client "cluster-login ssh emr-user@$node -- id -un"
expect_status 255 'nobody of the cluster logs on'
on alice@client "sshpass -p $RESCUE_PASSWORD $BARE_SSH rescue@10.77.0.12 id -un"
expect_text '^rescue$' 'local people log on as before'
