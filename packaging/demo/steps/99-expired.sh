# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034
step 'Refused: a credential that has expired'
LEFT=$((61000 - $(ms_since "$SHORT_SINCE")))
if ((LEFT > 0)); then
	say "the credential of one minute has $((LEFT / 1000)) s to go"
	sleep "$((LEFT / 1000 + 1))"
fi
on alice@client "CLUSTER_LOGIN_HOME=~/short $ASKPASS \"\$(cat ~/seen.prompt)\""
expect_status 1 'the helper does not sign with it'
on alice@client "$ENV"'
export FORGE_CREDENTIAL=~/short/credential.jwt FORGE_KEY=~/short/credential.key SSH_ASKPASS='"$TOOLS"'/askpass-forge
ssh emr-user@core-1-1 id -un'
expect_refused core-1-1 expired
