# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016
# A web console that takes one password: Cockpit on a node, in Chromium on the client, with a one-time credential pasted.
workbench_missing() {
	local missing=()
	command -v chromium >/dev/null || missing+=(chromium)
	[[ -x /usr/lib/cockpit/cockpit-ws ]] || missing+=(cockpit-ws)
	command -v cockpit-bridge >/dev/null || missing+=(cockpit-bridge)
	[[ -d /usr/share/cockpit/shell ]] || missing+=(cockpit-system)
	/usr/bin/python3 -c 'import websocket' 2>/dev/null || missing+=(python3-websocket)
	echo "${missing[*]}"
}

console_known() {
	[[ $(host_run authority cluster-login sessions) =~ alice\ +emr-user\ +core-1-1\ +onetime ]]
}

workbench() {
	cast_all
	must_quietly root@authority 'cluster-login grant add --person alice --account emr-user --node node:core-1-1 --onetime'
	cast_settled
	cast_pasting core-1-1
	must_quietly root@core-1-1 'setsid /usr/lib/cockpit/cockpit-ws --no-tls --port 9090 >/var/log/cluster-cockpit.log 2>&1 </dev/null & for i in $(seq 600); do ss -Hltn | grep -q ":9090 " && exit 0; sleep 0.1; done; exit 1'
	must_quietly alice@client 'cluster-login token emr-user@core-1-1 >token'

	on alice@client "python3 $TOOLS/browse http://core-1-1:9090/ emr-user <token"
	expect_text '^console: .*core-1-1' 'Cockpit in Chromium: the console of the node'
	expect_text '^terminal: emr-user' 'a shell in its terminal'
	expect_log core-1-1 'pam_cluster\(cockpit:auth.*result=accepted.*person=alice account=emr-user' 'the log names the person'
	on alice@client "python3 $TOOLS/browse http://core-1-1:9090/ emr-user <token"
	expect_text '^refused: .*\(id [A-Za-z0-9_-]{8}\)' 'the same password again: the page says no, with the id of the refusal'
	expect_refused core-1-1 used
	on alice@client "echo emr-user | python3 $TOOLS/browse http://core-1-1:9090/ emr-user"
	expect_text '^refused: ' 'any other password'
	expect_refused core-1-1 answer_format

	# Somebody sits in front of it when the person is revoked.
	on alice@client "cluster-login token emr-user@core-1-1 >token; python3 $TOOLS/browse --stay http://core-1-1:9090/ emr-user <token >stayed 2>&1 & for i in \$(seq 1200); do grep terminal: stayed && break; sleep 0.1; done"
	expect_text '^terminal: emr-user' 'a console stays open'
	expect 'its session is listed' within 20000 console_known
	must_quietly root@authority 'cluster-login revoke person alice --wait'
	on alice@client 'for i in $(seq 1200); do grep ended: stayed && break; sleep 0.1; done; cat stayed'
	expect_text '^ended: ' 'the revocation of the person ends it, and the page says so'
}

MISSING=$(workbench_missing)
if [[ -n $MISSING ]]; then
	narrate_skip 'Cockpit in Chromium' "not installed: $MISSING (make deps-workbench)"
else
	workbench
fi
