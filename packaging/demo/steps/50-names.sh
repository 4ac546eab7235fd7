# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034
step 'Names: the same on every node, from a file, without asking anybody'
cast_settled
SAME=''
for node in "${NODES[@]}"; do
	on "root@$node" 'getent passwd emr-user; getent group analysts; id emr-user'
	[[ -n $SAME ]] || SAME=$OUT
	expect "$node: the same entry as everywhere" test -n "$OUT" -a "$OUT" = "$SAME"
done
on root@task-1-1 'getent passwd ecs-user'
expect_text '^ecs-user:x:1000:' 'a local account stays as the image made it'
on root@task-1-1 'getent passwd no-such-user; getent group no-such-group'
expect_status 2 'an unknown name is not found (getent says 2), not an error'
