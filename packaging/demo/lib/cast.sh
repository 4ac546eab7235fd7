# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2016
# Who is who. Each function is a piece of the story that several scripts tell; with --quiet they tell it silently.

NODES=(master-1-1 core-1-1 task-1-1)
RESCUE_PASSWORD=open-sesame-7
TOOLS=/usr/local/lib/cluster-demo
ASKPASS=/usr/libexec/cluster-login/askpass
# Plain ssh without anything of ours, as an attacker or somebody with a password would use it.
BARE_SSH='ssh -F none -o StrictHostKeyChecking=accept-new'

# The last line of output that begins with $1: what a command printed for somebody else to run.
said() {
	grep -- "^$1" <<<"$OUT" | tail -n 1
}

cast_hosts() {
	hosts_start authority=10.77.0.10 master-1-1=10.77.0.11 core-1-1=10.77.0.12 task-1-1=10.77.0.13 client=10.77.0.20 elsewhere=10.77.0.30
	cast_client client alice bob carol
	local node
	for node in "${NODES[@]}"; do
		cast_image "$node"
	done
	sshd_start "${NODES[@]}"
}

# People have accounts of their own on their machine, and are nobody special there.
cast_client() {
	local host=$1 user
	shift
	for user; do
		host_run "$host" bash -c "useradd -m -d /home/$user -s /bin/bash $user"
	done
}

# What the image of such a node carries: a break-glass account with a password, and an account that everybody used to share.
cast_image() {
	host_run "$1" bash -c "useradd -m -u 1000 -s /bin/bash ecs-user && useradd -m -u 1001 -s /bin/bash rescue && echo rescue:$RESCUE_PASSWORD | chpasswd" 2>/dev/null
	host_install "$1"
}

# cast_authority HOST NAME: key ceremony and daemon.
cast_authority() {
	host_install "$1"
	must "root@$1" "cluster-authorityd init --name $2 --url https://$1:7443"
	authority_start "$1"
}

# cast_token ROLE NAME: the command that makes that machine a node, in JOIN, with the image's own account adopted.
cast_token() {
	must root@authority "cluster-login node token --role $1 --name $2"
	JOIN="$(said 'cluster-login join') --adopt ecs-user"
}

# cast_device PERSON HOST AUTHORITY: the person's first device.
cast_device() {
	must "root@$3" "cluster-login user invite $1"
	must "$1@$2" "$(said 'cluster-login setup')"
}

# Another cluster, which knows an alice too; her profile there is ~/other.
cast_elsewhere() {
	cast_authority elsewhere other
	must root@elsewhere 'cluster-login user add alice --account && cluster-login user invite alice'
	must alice@client "CLUSTER_LOGIN_HOME=~/other $(said 'cluster-login setup') && CLUSTER_LOGIN_HOME=~/other cluster-login get"
}

# cast_rescue SENTENCE [NODE]: the local account of last resort, by its password, from the client.
cast_rescue() {
	local address=${HOST_ADDRESS[${2-core-1-1}]}
	on alice@client "sshpass -p $RESCUE_PASSWORD $BARE_SSH rescue@$address id -un"
	expect_text '^rescue$' "$1"
}

# The whole cluster without a word, for tests: people alice and bob, account emr-user on all nodes.
cast_all() {
	local node
	cast_hosts
	cast_authority authority demo
	for node in "${NODES[@]}"; do
		cast_token "${node%%-*}" "$node"
		must "root@$node" "$JOIN --instance i-$node"
		agent_start "$node"
	done
	must root@authority 'cluster-login account add emr-user'
	for node in alice bob; do
		must root@authority "cluster-login user add $node && cluster-login grant add --person $node --account emr-user"
		cast_device "$node" client authority
	done
	cast_settled
	for node in alice bob; do
		must "$node@client" 'cluster-login get && cluster-login ssh-config'
	done
}

# cast_pasting HOST: until its agent takes one-time credentials again: none that may have been issued before it started, by a clock 30 s ahead. Seconds are whole ones, and the agent
# may look at the clock a little after it has begun.
cast_pasting() {
	expect_quietly 60000 agent_older "$1" 33
}

agent_older() {
	host_run "$1" bash -c '(( $(ps -o etimes= -p "$(pgrep -x agentd-serve)") > $0 ))' "$2" 2>/dev/null
}

# Until every node has applied what was the authority's newest head when this was called: later ones may come faster than slow nodes apply them.
cast_settled() {
	HEAD_WANTED=''
	expect_quietly 60000 nodes_settled
}

# cast_hops FROM TO...: the same, and ssh on the one node offers hops and sshd on the others trusts them: files that an agent writes a little after it has proved a head.
cast_hops() {
	local node
	cast_settled
	expect_quietly 20000 host_run "$1" grep -q IdentityAgent /var/lib/cluster-login/ssh_config
	shift
	for node; do
		expect_quietly 20000 trusts_hops "$node"
	done
}

# The CAs of people's certificates, and the nodes' keys.
trusts_hops() {
	(($(host_run "$1" grep -c . /var/lib/cluster-login/user_ca) > ${#NODES[@]}))
}

nodes_settled() {
	host_run authority cluster-login node list --json >"$TOP/nodes.json" 2>/dev/null || return 1
	[[ -n $HEAD_WANTED ]] || HEAD_WANTED=$(/usr/bin/python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["head"])' "$TOP/nodes.json")
	/usr/bin/python3 - "$TOP/nodes.json" "${#NODES[@]}" "$HEAD_WANTED" <<-'PYTHON'
		import json, sys
		with open(sys.argv[1]) as f:
		    nodes = json.load(f)["nodes"]
		sys.exit(0 if len(nodes) >= int(sys.argv[2]) and all(n["applied"] >= int(sys.argv[3]) for n in nodes) else 1)
	PYTHON
}

expect_quietly() {
	local limit=$1
	shift
	within "$limit" "$@" && return
	echo "demo: not within $limit ms: $*" >&2
	return 1
}

# The shell at the end: alice on the client, with a card of things to try.
cast_shell() {
	cast_card
	[[ -t 0 ]] || return 0
	nsenter --target "${HOST_PID[client]}" --mount --uts --ipc --net --pid --wdns=/home/alice -- \
		env -i LANG=C.UTF-8 TERM="${TERM:-dumb}" setpriv --reuid=alice --regid=alice --init-groups --reset-env \
		script -qec 'bash -l' /dev/null || true
}

cast_card() {
	cat <<-CARD

	${BOLD}You are alice on the client of this cluster. Everything is gone when you leave.${PLAIN}
	    cluster-login get                          a credential for an hour
	    cluster-login nodes                        where you may go
	    cluster-login ssh emr-user@master-1-1      log on
	    cluster-login ssh emr-user@leader -- id    one command; a role finds its node
	    cluster-login ssh-config; eval "\$(cluster-login env)"
	    scp /etc/hostname emr-user@core-1-1:       then plain ssh, scp, sftp, rsync work too
	    ssh rescue@10.77.0.11                      the break-glass account; password $RESCUE_PASSWORD
	    cluster-login --help

	CARD
}
