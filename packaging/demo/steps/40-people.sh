# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034
step 'People, accounts, groups, grants: a person is not an account'
must root@authority 'cluster-login user add alice --role data --account; cluster-login user add bob; cluster-login user add carol'
must root@authority 'cluster-login account add emr-user --gecos "EMR jobs"; cluster-login account add ecs-user --uid 1000'
must root@authority 'cluster-login group add analysts; cluster-login group member-add analysts emr-user'
must root@authority 'cluster-login grant add --role data --account emr-user; cluster-login grant add --person alice --account ecs-user --node role:core'
must root@authority 'cluster-login grant add --person bob --account emr-user --node role:master --node role:core'
on root@authority 'cluster-login grant list'
expect_text 'emr-user' 'grants say who may be whom, and where'

step 'A device for each person: by a one-time code; the private key never leaves the machine'
cast_device alice client authority
expect_ok 'alice has a device'
cast_device bob client authority
cast_device carol client authority
on alice@client 'cluster-login get'
expect_text 'emr-user' 'alice has a credential, and sees where she may log on'
cp -a "$(host_path client /home/alice/.config/cluster-login)" "$(host_path client /home/alice/short)"
must_quietly alice@client 'CLUSTER_LOGIN_HOME=~/short cluster-login get --ttl 60s'
SHORT_SINCE=$EPOCHREALTIME
must_quietly bob@client 'cluster-login get'
on carol@client 'cluster-login get'
expect_status 77 'carol, to whom nothing is granted, does not even get a credential'
must root@authority 'cluster-login grant add --person carol --account ecs-user --node role:task'
must_quietly carol@client 'cluster-login get'
on alice@client 'cluster-login nodes'
expect_text 'task-1-1' 'the nodes, from the signed directory'
