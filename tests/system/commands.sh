# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016
# Exit statuses and words of the programs when they are called wrongly or nobody answers (DESIGN.md 3.9, 3.11).
cast_all

# says STATUS TEXT COMMAND...
says() {
	on "${4-alice@client}" "$3"
	expect_status "$1" "$3: exit status $1"
	expect_text "$2" "$3: says $2"
}

says 64 'which command' 'cluster-login'
says 64 'ssh-config|unknown|no such' 'cluster-login ssh-confg'
says 64 'ttl' 'cluster-login get --tll 5m'
says 64 'ttl' 'cluster-login get --ttl soon'
says 64 'usage|needs|--help' 'cluster-login setup'
says 0 'usage: cluster-login' 'cluster-login --help'
says 0 'usage: cluster-login get' 'cluster-login get --help'
says 0 'cluster-login [0-9]' 'cluster-login --version'
says 64 '--help|usage' 'cluster-login user'
says 64 '--help|usage' 'cluster-login user ad x'
says 64 '--help|usage' 'cluster-authorityd no-such-thing' root@authority
says 64 '--help|usage' 'cluster-agentd --no-such-thing' root@core-1-1
says 78 'setup' 'CLUSTER_LOGIN_HOME=~/nothing cluster-login get'
says 69 '.' 'cluster-login user list'
says 77 '.' 'cluster-login user list --remote'
says 1 'carol|no person' 'cluster-login user show carol' root@authority
says 64 'name' 'cluster-login user add "Alice Smith"' root@authority
says 64 'account' 'cluster-login account add Emr-User' root@authority
says 65 'root\.jws|profile|damaged|JWS|document' 'cp -a ~/.config/cluster-login ~/spoilt; echo x >~/spoilt/root.jws; CLUSTER_LOGIN_HOME=~/spoilt cluster-login get'
says 1 '.' 'cluster-login ssh emr-user@no-such-node -- id || exit 1'

# Whoever is told no is told what to do next.
for line in 'cluster-login get --tll 5m' 'cluster-login frobnicate' 'cluster-login ssh emr-user@core-1' 'cluster-login ssh' 'cluster-login token emr-user@core-1-1' 'CLUSTER_LOGIN_HOME=~/nothing cluster-login ssh emr-user@core-1-1' \
	'CLUSTER_LOGIN_HOME=~/nothing cluster-login device list' 'cluster-login user list' 'cluster-login get --ssh-cert' 'cluster-login device remove no-such' 'cluster-login drop && cluster-login show' \
	'rm ~/.ssh/config; cluster-login env' 'cluster-login get --renew --ttl 5m'; do
	on alice@client "$line"
	expect_text '^  try: |cluster-login [a-z-]+ --help' "$line: and what to try"
done
must_quietly alice@client 'cluster-login get && cluster-login ssh-config'

must_quietly root@authority 'cluster-login group add spare && cluster-login user add dora'
says 0 'spare' 'cluster-login group list --json | python3 -m json.tool' root@authority
says 0 'emr-user' 'cluster-login account list --json | python3 -m json.tool' root@authority
says 0 'core-1-1' 'cluster-login node list --json | python3 -m json.tool' root@authority
says 0 'dora' 'cluster-login user list --json | python3 -m json.tool' root@authority
says 0 'alice' 'cluster-login show --json | python3 -m json.tool'
says 0 'task-1-1' 'cluster-login nodes --json | python3 -m json.tool'

# Malformed requests on the wire: refused, and the authority lives on.
for request in 'GET / HTTP/1.1' 'GET /v1/head HTTP/1.1' 'POST /v1/join HTTP/1.1\r\nContent-Length: 3\r\n\r\n{}}' 'POST /v1/enroll HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0' \
	'\x00\x01\x02\xff' 'GET /v1/root HTTP/1.1\r\nHost: a\r\nHost: b' 'GET /v1/objects/../../etc/passwd HTTP/1.1' 'PRI * HTTP/2.0'; do
	on root@client "printf '%b' '$request\r\n\r\n' | timeout 5 openssl s_client -quiet -connect authority:7443 2>/dev/null | head -n 1"
	expect_no_text '^HTTP/1\.1 200' "refused: $request"
done
says 0 'demo' 'cluster-login status' root@authority

authority_kill authority
says 69 'try: cluster-login show' 'cluster-login get'
says 69 '^cluster-login: cannot reach /run/cluster-login/authority.sock: Connection refused$' 'cluster-login status' root@authority
on alice@client 'cluster-login ssh emr-user@core-1-1 -- id -un'
expect_ok 'the credential in hand goes on working'
