# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016
# A node's wall clock is wrong: cluster people are refused with the reason, the break-glass account logs on, with the agent alive or dead, and nothing of it stays once the clock is
# right (THREATS.md H3, H7, A2). The matrix of jumps is in tests/unit/trust/test_clock.c; here are the real sshd and PAM.
cast_all
node=core-1-1
# offset COMMAND: the wall clock's error is what the command prints.
offset() {
	must_quietly root@$node "printf '%-31s\n' \"\$($1)\" | dd of=/run/clock-offset conv=notrunc status=none"
}
cp "$BUILD/tests/system/lib_clock.so" "$(host_path $node /usr/local/lib/clock.so)"
offset 'echo 0'
must_quietly root@$node 'echo /usr/local/lib/clock.so >/etc/ld.so.preload && chmod 644 /etc/ld.so.preload /run/clock-offset'
must_quietly root@$node 'old=$(pgrep -o -x sshd); kill "$old"; while [ -e "/proc/$old" ]; do sleep 0.05; done; exec /usr/sbin/sshd'
on bob@client "cluster-login ssh emr-user@$node -- id -un"
expect_ok 'with the right clock people log on'

# jump SECONDS REASON
jump() {
	offset "echo $1"
	on bob@client "cluster-login ssh emr-user@$node -- id -un"
	expect_refused $node "$2"
	cast_rescue "clock off by $1 s: the break-glass account works" $node
}

# The agent of the right clock goes on: what is refused here is refused by PAM's own look at the clock.
jump -315360000 clock_behind
jump -86400 clock_behind
jump -3600 clock_behind
jump 3600 stale
jump 86400 stale
jump 315360000 stale
offset 'echo 0'
offset 'echo -$(date +%s)'
on bob@client "cluster-login ssh emr-user@$node -- id -un"
expect_refused $node clock_behind
cast_rescue 'clock at zero: the break-glass account works' $node
offset 'echo 0'
on bob@client "cluster-login ssh emr-user@$node -- id -un"
expect_ok 'the clock is right again: people log on'

# The agent too has the wrong clock: it refuses heads, says so, and does not die of it.
agent_kill $node
offset 'echo -86400'
must_quietly root@$node 'cp /var/lib/cluster-login/fresh /root/fresh'
agent_start $node
expect_quietly 20000 explains_no $node bob emr-user
on root@$node 'cmp /root/fresh /var/lib/cluster-login/fresh'
expect_ok 'an agent whose clock is a day late takes no head'
on root@$node 'cluster-login status'
expect_status 1 'status: unhealthy'
cast_rescue 'the break-glass account works' $node
agent_kill $node
on bob@client "cluster-login ssh emr-user@$node -- id -un"
expect_refused $node clock_behind
cast_rescue 'with a dead agent and a wrong clock too' $node
offset 'echo 0'
agent_start $node
expect 'the clock is right again: heads are taken again' within 60000 explains_yes $node bob emr-user
